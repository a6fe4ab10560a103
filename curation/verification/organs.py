"""How organs of a caption and of its evidence relate, and which organs a statement is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.word_lists import IMPLIED_BESIDE_ANOTHER
from prompts.vocabulary import Vocabulary

_EFFUSION = "effus"
"""Key of an effusion that does not say where it is."""
OPERATION_FLAGS = frozenset(("operation", "partial_operation", "absent_organ"))
"""Flags of what was done to an organ."""
LOBECTOMY = "lobectomi"
_CATHETERIZED = "cathet"
DEVICES = "devices"
"""The root of all devices in the vocabulary."""
_TUBES = frozenset(
    (
        "nasogastric tube",
        "feeding tube",
        "endotracheal tube",
        "tracheostomy tube",
        "drain",
        "surgical drain",
        "pigtail drain",
    )
)
_KINDS_OF_TUBES = frozenset(("catheter", "chest tube"))
"""Devices that lie in an organ for a while and change nothing in it, so that they are no finding of that organ."""
MAIN_ORGANS = {"head": "brain"}
"""Of a region the organ that an examination of it is made for, and from which nothing is absent that it has."""


class OrganRelations:
    """Answers how organs of one vocabulary relate: whole and part, left and right."""

    def __init__(self, parser: StatementParser) -> None:
        self.organs = parser.vocabulary.organs
        self.ancestors = parser.vocabulary.ancestors
        self.parts = parser.vocabulary.descendants
        self.sided = parser.vocabulary.sided
        self.lexicon = parser.lexicon
        self._resolve = parser.organ_finder.resolve
        self.covers: Callable[[str, str], bool] = lru_cache(maxsize=100_000)(self._covers)
        self._cached_findings = lru_cache(maxsize=10_000)(self._findings_inside)
        self._cached_stems = lru_cache(maxsize=10_000)(self._stems)

    def _covers(self, organ: str, name: str) -> bool:
        """Tell whether a statement about ``name`` is one about ``organ``: the same, or a part of it."""
        return organ == name or organ in self.ancestors(name)

    def is_other_side(self, organ: str, name: str) -> bool:
        """Tell whether ``name`` is the counterpart of ``organ``, or the pair without a side."""
        one, other = self.organs.get(organ), self.organs.get(name)
        if one is None or other is None or one.side is None or one.side == other.side:
            return False
        return name in one.parents or not set(one.parents).isdisjoint(other.parents)

    def is_half(self, organ: str, name: str) -> bool:
        """Tell whether ``organ`` is one side of the pair ``name``."""
        pair = self.sided(name)
        return pair is not None and organ in pair

    def places_of(self, device: str) -> tuple[str, ...]:
        """Return the organs that a device lies in by its kind, or by the nearest kind that has some."""
        return self.organs[device].lies_in or tuple(
            place for kind in self.organs[device].parents if kind != DEVICES for place in self.places_of(kind)
        )

    def places_on_side(self, device: str, sides: set[str]) -> tuple[str, ...]:
        """Return the organs that a device lies in by its kind, on the one side that is stated."""
        places = self.places_of(device)
        if len(sides) != 1 or "both" in sides:
            return places
        pairs = ((place, self.sided(place)) for place in places)
        return tuple((pair[0] if "left" in sides else pair[1]) if pair else place for place, pair in pairs)

    def belongs_to_organ(self, side: Term, terms: Iterable[Term]) -> bool:
        """Tell whether a side word belongs to the organ right behind it, whose names tell the side: "both lungs"."""
        following = next((term.mention for term in terms if term.mention and term.start == side.end), None)
        return following is not None and all(self.organs[name].side for name in following.names)

    def is_organ(self, word: str) -> bool:
        """Tell whether a word by itself names an organ."""
        return self._resolve(word) is not None

    def findings_inside(self, wordings: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
        """Return the findings of wordings of two words of which the other is an organ: calculi, of "renal calculi"."""
        return self._cached_findings(wordings)

    def _findings_inside(self, wordings: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
        findings = []
        for wording in wordings:
            words = [word for word in wording if not self.is_organ(word)]
            if len(wording) == 2 and len(words) == 1 and ":" not in words[0]:
                findings.append(words[0])
        return tuple(findings)

    def stems(self, name: str) -> frozenset[str]:
        """Return the stems of an organ's name."""
        return self._cached_stems(name)

    def _stems(self, name: str) -> frozenset[str]:
        return frozenset(self.lexicon.stems(name))


def is_tube(vocabulary: Vocabulary, term: Term) -> bool:
    """Tell whether a term names a catheter, a tube or a drain, or says that an organ has one: "catheterized"."""
    if term.mention is None:
        return term.key == _CATHETERIZED
    return term.mention.device and any(
        name in _TUBES or not _KINDS_OF_TUBES.isdisjoint((name, *vocabulary.ancestors(name)))
        for name in term.mention.names
    )


def subject_organs(terms: Iterable[Term]) -> list[str]:
    """Return the names of the organs that terms are about, without those that only say where."""
    return [name for term in terms if term.mention and not term.mention.place for name in term.mention.names]


def filed_organs(statement: ParsedStatement, terms: Iterable[Term], relations: OrganRelations) -> list[str]:
    """Return the names of the organs that a caption of terms may be filed under, without those told apart by a side.

    "No renal mass in the right kidney" is about no other kidney, "the left lung middle lobe" about no right one.
    """
    terms = list(terms)
    mentions = [term for term in terms if term.mention and not term.mention.place]
    singles = {term.key for term in mentions if term.mention and term.mention.pair and len(term.mention.names) == 1}
    sided = {side for term in mentions for side in _side_words(statement, term)}
    if len(sided) != 1 or any(term.key == "side:both" for term in terms):
        return subject_organs(terms)
    side = next(iter(sided))
    names: list[str] = []
    for term in mentions:
        mention = term.mention
        assert mention is not None
        halves = relations.sided(term.key) if len(mention.names) == 1 else mention.names
        of_finding = any(other.kind == "finding" and other.start <= term.end < other.end for other in terms)
        is_told_apart = (
            (mention.adjective or of_finding) and halves is not None and len(singles.intersection(halves)) == 1
        )
        own = {relations.organs[name].side for name in mention.names}
        is_elsewhere = not _side_words(statement, term) and own == {"left" if side == "right" else "right"}
        if not (is_told_apart or is_elsewhere):
            names += mention.names
    return names or subject_organs(terms)


def _side_words(statement: ParsedStatement, term: Term) -> set[str]:
    """Return the sides that the wording of an organ states: "left", of "left lung"."""
    return {"left", "right"}.intersection(statement.stems[term.start : term.end])


def place_organs(terms: Iterable[Term]) -> list[str]:
    """Return the names of the organs that only say where something else is: "adjacent to the spleen"."""
    return [name for term in terms if term.mention and term.mention.place for name in term.mention.names]


def statement_organs(parser: StatementParser, statement: ParsedStatement) -> tuple[str, ...]:
    """Return the organs that a statement is about, named or implied by a finding ("pneumothorax": pleura), in order."""
    organs: dict[str, None] = {}
    for segment in statement.segments:
        for term in segment.sites:
            if term.mention:
                organs.update(dict.fromkeys(term.mention.names))
        for name in implied_organs(parser, segment.terms):
            organs.setdefault(name)
    # "Right kidney: mass, probably a renal carcinoma" is about no other kidney.
    return tuple(name for name in organs if not set(parser.vocabulary.sided(name) or ()).intersection(organs))


def effusion_cavity(parser: StatementParser, terms: Sequence[Term], context: Sequence[str]) -> tuple[str, ...]:
    """Return the cavity of an effusion that names none, by the organs around it: "Lungs: small left effusion"."""
    if _EFFUSION not in [term.key for term in terms if term.mention is None]:
        return ()
    organs = parser.vocabulary
    places = subject_organs(terms) or list(context)
    if not places or not all(name == "chest" or "lungs" in (name, *organs.ancestors(name)) for name in places):
        return ()
    return _on_sides(organs.sided("pleura"), "pleura", stated_sides(terms))


def _on_sides(pair: tuple[str, str] | None, name: str, sides: set[str]) -> tuple[str, ...]:
    """Return an organ on the sides that are stated."""
    if not pair or not sides:
        return (name,)
    return pair if "both" in sides or len(sides) > 1 else (pair[0] if "left" in sides else pair[1],)


def implied_organs(parser: StatementParser, terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the organs that findings bring with them, on the side that is stated beside them."""
    implying = [term for term in terms if term.key == LOBECTOMY or (term.entry and term.entry.organ)]
    if not implying:
        return ()
    organs = parser.vocabulary.organs
    sides = stated_sides(terms)
    mentioned = [name for term in terms if term.mention for name in term.mention.names]
    sides |= {side for name in mentioned if organs[name].region and (side := organs[name].side)}
    implied: dict[str, None] = {}
    for term in implying:
        organ = term.entry.organ if term.entry else None
        name = parser.organ_finder.resolve(organ) if organ else None
        if any(t.mention and t.mention.device and (t.end == term.start or t.start == term.start) for t in terms):
            continue  # "No screw fracture" is of no bone
        if lobe := resected_lobe(parser, term, terms):
            implied[lobe] = None
        if name is None or not _says_more(parser, name, terms):
            continue
        implied.update(dict.fromkeys(_on_sides(parser.vocabulary.sided(name), name, sides)))
    return tuple(implied)


def resected_lobe(parser: StatementParser, lobectomy: Term, terms: Sequence[Term]) -> str | None:
    """Return the lobe that a lobectomy took, by the words before it: "right upper lobectomy"; None where none is."""
    if lobectomy.key != LOBECTOMY:
        return None
    words: list[str] = []
    start = lobectomy.start
    for term in reversed(terms):
        if term.end != start:
            continue
        if term.mention or term.kind not in ("side", "finding"):
            return term.key if term.mention and not words and term.key.endswith("lobe") else None
        words.insert(0, term.key.removeprefix("side:"))
        start = term.start
    return parser.organ_finder.resolve(" ".join([*words, "lobe"])) if words else None


def stated_sides(terms: Iterable[Term]) -> set[str]:
    """Return the sides ("left", "right", "both") that side words among the terms state."""
    return {term.key.removeprefix("side:") for term in terms if term.kind == "side"}


def _says_more(parser: StatementParser, name: str, terms: Sequence[Term]) -> bool:
    """Tell whether an implied organ says more than the organs that are named beside it."""
    sites = [term for term in terms if term.mention and not (term.mention.place or term.mention.device)]
    subjects = subject_organs(terms)
    if any(name == organ or name in parser.vocabulary.ancestors(organ) for organ in subjects):
        return False
    only_regions = all(parser.vocabulary.organs[term.key].region for term in sites)
    return only_regions or name in IMPLIED_BESIDE_ANOTHER
