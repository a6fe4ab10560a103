"""Of which organ named before a statement without one can be about: the one in which its findings occur.

"No effusion", behind what is said of the bronchi, is no effusion of theirs. Prose that has named several organs, each
in a clause of its own, leaves open which of them the next sentence means, and then none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from curation.language.forms.findings import is_adjective
from curation.language.parsed_statement import ParsedStatement, Segment
from curation.language.parser import StatementParser
from curation.language.structure.reference_words import DEMONSTRATIVES, POSSESSIVES, PRONOUNS
from curation.language.word_lists import VERBS
from curation.verification.organs import MAIN_ORGANS, implied_organs, stated_sides

_VESSELS = ("vessels", "heart", "devices", "aorta")
_ARTERIES = ("arteries", "heart", "devices", "pulmonary trunk")
_BONES = ("skeleton", "devices")
_HOLLOW = (
    "urinary system",
    "biliary tree",
    "gastrointestinal tract",
    "airways",
    "vessels",
    "devices",
    "fallopian tubes",
)
# Findings with the organs in which, or in parts of which, they occur.
_SEATS = {
    "effusion": ("pleura", "pericardium", "joints", "lungs", "airways", "middle ears", "mastoid air cells"),
    "perforation": ("gastrointestinal tract", "gallbladder", "uterus", "devices"),
    "shift": ("brain", "mediastinum"),
    "herniation": ("brain", "spine", "abdominal wall", "diaphragm", "bowel", "stomach", "groins", "umbilicus"),
    "thrombus": _VESSELS,
    "mural thrombus": _VESSELS,
    "filling defect": (*_VESSELS, *_HOLLOW),
    "embolism": (*_VESSELS, "lungs"),
    "aneurysm": _ARTERIES,
    "pseudoaneurysm": (*_ARTERIES, "spleen", "liver", "left kidney", "right kidney"),
    "dissection": _ARTERIES,
    "plaque": (*_ARTERIES, "pleura", "brain"),
    "calculus": ("urinary system", "biliary tree", "pancreas", "salivary glands", "prostate", "appendix"),
    "obstruction": _HOLLOW,
    "dislocation": _BONES,
    "subluxation": _BONES,
}
_BRAIN = ("brain", ("brain", "cerebral arteries", "skull"))
# Findings of a whole organ, which a statement about one of these goes on to: "No effusion", behind the bronchi.
_OF_THE_WHOLE = {
    "herniation": _BRAIN,
    "mass effect": _BRAIN,
    "shift": _BRAIN,
    "hemorrhagic transformation": _BRAIN,
    "hemorrhage": _BRAIN,
    "effusion": ("lungs", ("lungs", "airways")),
    "infiltrate": ("lungs", ("lungs", "airways")),
}


# Findings that are of the main organ of a region, where the title of the examination names that: "CT HEAD".
_OF_MAIN_ORGAN = ("atrophy", "volume loss", "infarct", "ischemia", "mass effect", "shift", "herniation")
_ALSO_AROUND = ("hemorrhage", "hematoma")


# "Left-sided structures are normal" is about more than the organ named before.
_COLLECTIVES = frozenset("structures organs viscera patient".split())


# They lie beside bones and in no bone.
_BESIDE_BONES = ("collection", "seroma")


class FittingContext:
    """Tells which of the organs named before a statement it can be about."""

    def __init__(self, parser: StatementParser) -> None:
        self._parser = parser
        self._cached_seats = lru_cache(maxsize=1)(self._read_seats)
        self._cached_keys = lru_cache(maxsize=4)(self._read_keys)

    def of(
        self, organs: tuple[str, ...], statement: ParsedStatement, source: ParsedStatement | None
    ) -> tuple[str, ...]:
        """Return those of ``organs`` that a statement without an organ can be about.

        ``source``: the sentence that names them, None where a heading or a label does.
        """
        if not organs or _is_spoken_heading(statement) or not _COLLECTIVES.isdisjoint(statement.words):
            return ()
        if self._is_elsewhere(organs, statement):
            return ()
        organs = self._without_devices(organs)
        seats, wholes = self._cached_seats()
        keys = [key for term in statement.terms if term.kind == "finding" for key in (term.key, *term.parts)]
        for key in keys:
            whole, parts = wholes.get(key, ("", ()))
            if whole and all(self._is_part(name, parts) for name in organs):
                return (whole,)
        for key in keys:
            if key in seats:
                organs = tuple(name for name in organs if self._lies_in(name, seats[key]))
            if key in self._cached_keys(_BESIDE_BONES):
                organs = tuple(name for name in organs if not self._is_bone(name))
        if source is not None and len(organs) > 1 and not self._are_one_subject(organs, source):
            return ()
        return organs

    def below_title(
        self, title: tuple[str, ...], context: tuple[str, ...], statement: ParsedStatement
    ) -> tuple[str, ...]:
        """Return the context of a statement that names no organ, by the region that the title names.

        Of the head that is the brain, for what occurs in it: "Generalized atrophy", also behind what is said of a bone.
        """
        main = tuple(MAIN_ORGANS[name] for name in title if name in MAIN_ORGANS)
        if not main or any(self._is_part(name, main) for name in context):
            return context
        findings = [term for term in statement.terms if term.kind == "finding" and not term.attribute]
        keys = self._cached_keys(_OF_MAIN_ORGAN if context else (*_OF_MAIN_ORGAN, *_ALSO_AROUND))
        fits = findings and all(term.key in keys or is_adjective(statement, term) for term in findings)
        return main if fits else context

    def on_stated_side(self, context: tuple[str, ...], statement: ParsedStatement) -> tuple[str, ...]:
        """Return the context on the side that a statement states: "Left adrenal nodule. Normal right gland." """
        sides = stated_sides(statement.terms)
        if len(sides) != 1:
            return context
        organs: dict[str, None] = {}
        for name in context:
            pair = self._parser.organ_finder.pair_of(name)
            on_side = {"left": pair[:1], "right": pair[1:], "both": pair}[min(sides)] if pair else (name,)
            organs.update(dict.fromkeys(on_side))
        return tuple(organs)

    def _is_elsewhere(self, organs: Sequence[str], statement: ParsedStatement) -> bool:
        """Tell whether a statement says itself where it is, in none of ``organs``."""
        if statement.tokens and statement.tokens[0].word in PRONOUNS | DEMONSTRATIVES | POSSESSIVES:
            return False
        named = [t.mention for t in statement.terms if t.mention and not (t.mention.device or t.mention.finding)]
        named = [mention for mention in named if not mention.place]
        related = self._parser.vocabulary.related
        return any(not any(related(name, organ) for name in m.names for organ in organs) for m in named)

    def _read_seats(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, tuple[str, ...]]]]:
        seats = {self._key(phrase): organs for phrase, organs in _SEATS.items()}
        return seats, {self._key(phrase): whole for phrase, whole in _OF_THE_WHOLE.items()}

    def _read_keys(self, phrases: Sequence[str]) -> frozenset[str]:
        return frozenset(map(self._key, phrases))

    def _is_bone(self, name: str) -> bool:
        return self._is_part(name, ("skeleton",)) and not self._is_part(name, ("joints", "intervertebral discs"))

    def _key(self, phrase: str) -> str:
        return next(term.key for term in self._parser.parse(phrase).terms if term.kind == "finding")

    def _is_part(self, name: str, wholes: Sequence[str]) -> bool:
        return name in wholes or not self._parser.vocabulary.ancestors(name).isdisjoint(wholes)

    def _lies_in(self, name: str, seats: Sequence[str]) -> bool:
        """Tell whether an organ is one of ``seats`` or a part of it; a region may hold any."""
        return self._parser.vocabulary.organs[name].region or self._is_part(name, seats)

    def _without_devices(self, organs: tuple[str, ...]) -> tuple[str, ...]:
        """Return organs without the devices beside them: "Patent stent in the RCA. Distally there is a plaque"."""
        others = tuple(name for name in organs if "devices" not in self._parser.vocabulary.ancestors(name))
        return others or organs

    def _are_one_subject(self, organs: Sequence[str], source: ParsedStatement) -> bool:
        """Tell whether organs are the two sides of one, or were named together: "The liver and spleen are normal"."""
        pair = self._parser.organ_finder.pair_of(organs[0])
        if pair is not None and set(organs) <= set(pair):
            return True
        said_of = {self._organs(segment) for segment in source.segments if not segment.silent} - {frozenset()}
        if any(len({term.key for term in segment.sites}) > 1 for segment in source.segments):
            return False  # "discitis with erosion of the endplate"
        return len(said_of) < 2

    def _organs(self, segment: Segment) -> frozenset[str]:
        """Return the organs that a segment names or implies."""
        names = {name for term in segment.organs if term.mention for name in term.mention.names}
        return frozenset(names or implied_organs(self._parser, segment.terms))


def _is_spoken_heading(statement: ParsedStatement) -> bool:
    """Tell whether a statement is the name of a section, as it is dictated: "Impression." """
    words = [token.word for token in statement.tokens if token.word.isalpha()]
    return len(words) == 1 and words[0] in ("impression", "findings", "conclusion", "technique", "comparison")


def opens_with_pronoun(statement: ParsedStatement) -> bool:
    """Tell whether a statement goes on about what was named before: "It begins below the renal arteries"."""
    words = [token.word for token in statement.tokens[:2]]
    return len(words) > 1 and words[0] in PRONOUNS and (words[1] in VERBS or words[1].endswith("s"))
