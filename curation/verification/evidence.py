"""What one segment of a statement offers to a caption: its words, sides, measures and organs, each as it is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

from curation.caption import Reason
from curation.language.analysis import Analysis, Item, Reader
from curation.language.assertion import Polarity
from curation.language.clauses import available
from curation.language.word_lists import NEUTRAL, POSITIONS, SIDES, WHEREABOUTS

from .organs import Places, implied_organs

SPELLING = 90.0
"""Similarity (0 to 100) from which two long words with the same beginning count as spellings of one word."""

LITERAL, SYNONYM, SPELLED, CONTEXT, TURNED = 1.0, 0.9, 0.8, 0.7, 0.5


class Gap(NamedTuple):
    """What the evidence does not carry; ``says`` is the sentence for the person, with {words} and {known} to fill in.

    ``weight`` is the share of the item that the evidence has all the same: the word, but turned round.
    """

    reason: Reason
    says: str
    weight: float = 0.0
    final: bool = False  # no other statement of the report makes up for it


_NO_WORD = Gap(Reason.NOT_GROUNDED, "“{words}” is not in the evidence")
_NO_GRADE = Gap(Reason.MODIFIER, "“{words}” is not in the evidence")
_NO_SIDE = Gap(Reason.LATERALITY, "“{words}” is not what the evidence says")
_OTHER_SIDE = Gap(Reason.LATERALITY, "“{words}” where the evidence has {known}")
_OTHER_ORGAN = Gap(Reason.WRONG_ORGAN, "“{words}” is not in the evidence; the evidence is about {known}")
_NO_ORGAN = Gap(Reason.WRONG_ORGAN, "“{words}” is not in the evidence; the evidence names no organ")
_NO_MEASURE = Gap(Reason.MEASUREMENT, "“{words}” is not in the evidence")
_ONLY_PART = Gap(Reason.WRONG_ORGAN, "the evidence is about {known} and not about all of “{words}”")
_ABSENCE = Gap(Reason.NEGATION, "the evidence is the opposite about “{words}” itself", TURNED, final=True)
_DENIED = Gap(Reason.NEGATION, "the evidence denies “{words}”", TURNED)
_NOT_DENIED = Gap(Reason.NEGATION, "the evidence does not deny “{words}”", TURNED)
_SUSPECTED = Gap(Reason.MODIFIER, "the evidence only suspects “{words}”", TURNED)
_CERTAIN = Gap(Reason.MODIFIER, "the evidence does not put “{words}” in doubt", TURNED)


class Wanted(NamedTuple):
    """One item of a caption, as it is looked for: with its content stems, its first word, and whether its claim has it
    of its own or takes it over from a neighbour."""

    item: Item
    stems: tuple[str, ...]
    word: str
    own: bool


class Evidence:
    """What one segment of a statement (or, with ``index`` None, the whole of it) offers to a caption."""

    def __init__(
        self, reader: Reader, places: Places, analysis: Analysis, index: int | None, context: tuple[str, ...]
    ) -> None:
        self.reader, self.places, self.analysis, self.context = reader, places, analysis, context
        self.items = analysis.items if index is None else available(analysis, index)
        self.own = own = analysis.items if index is None else analysis.segments[index].items
        self.polarities: dict[str, set[Polarity]] = {}  # of each word, its synonyms' key and its parts
        self.counts: Counter[str] = Counter()
        self.said = {token.word for token in analysis.tokens}
        self.named: set[str] = set()  # words inside organ names, of which a caption may hold a part
        for item in self.items:
            self._add(item)
        self.sides = self._stated_sides()
        self.organs = [item for item in self.items if item.mention]
        self.implied = implied_organs(reader, self.items if index is None else own)
        self.denies = denies(self.items)

    def _add(self, item: Item) -> None:
        if item.kind in ("finding", "modifier"):
            self.counts.update({item.key, *item.parts})
            for key in (item.key, *item.parts, *self._inside(item)):
                self.polarities.setdefault(key, set()).add(item.polarity)
        if item.kind == "negation" or (item.entry and "pseudo_negation" in item.entry.flags):
            for word in self.analysis.stems[item.start : item.end]:  # "no suspicious …", "no increase in …"
                self.polarities.setdefault(self.reader.lexicon.canonical(word), set()).add(Polarity.NEGATED)
        if item.mention:
            self.named.update(self.analysis.stems[item.start : item.end])

    def _stated_sides(self) -> set[str]:
        """Sides that the segment states apart from organs; else those its neighbours do; else those of the organs."""
        apart = [item for item in self.items if item.kind == "side" and not self.places.has_side(item, self.items)]
        apart = [item for item in apart if item in self.own] or apart
        stated = {side for item in apart for side in _both(item.key.removeprefix("side:"))}
        self.own_side = bool(stated)
        if stated:
            return stated
        for item in self.items:
            if item.kind == "side":
                stated |= _both(item.key.removeprefix("side:"))
            elif item.mention:
                words = {SIDES.get(token.word) for token in self.analysis.tokens[item.start : item.end]}
                stated |= {side for side in words if side in ("left", "right")}
                stated |= {side for name in item.mention.names if (side := self.places.organs[name].side)}
        return stated

    # -- organs and sides -----------------------------------------------------------------------------------------

    def organ(self, wanted: Wanted, denied: bool, whole: bool) -> Gap | float:
        """Weight of an organ of the caption.

        ``denied``: whether its claim denies a finding; ``whole``: whether the claim is about all of it.
        """
        item = wanted.item
        assert item.mention is not None
        weight = LITERAL
        for name in item.mention.names:
            weight = self._organ_weight(name, wanted)
            if weight == 0.0:
                return self._organ_gap(name)
            if whole and not self._is_whole(name):
                return _ONLY_PART
        if self._elsewhere(wanted):
            return _NO_WORD
        if not any(self.places.organs[name].side for name in item.mention.names):
            if any(word in ("left", "right") and word not in self.sides for word in wanted.stems):
                return _NO_SIDE  # a name without sides was given one: "right portal vein"
        if wanted.own and not self._same_presence(item, denied):
            return _ABSENCE
        return weight

    def _organ_weight(self, name: str, wanted: Wanted) -> float:
        covers, item = self.places.covers, wanted.item
        for other in self.organs:
            mention = other.mention
            if mention is None or item.mention is None or (mention.place and not item.mention.place):
                continue
            if item.mention.place and not mention.place and other not in self.own:
                continue
            if any(covers(name, own) for own in mention.names + mention.origin):
                return LITERAL if name in mention.names else SYNONYM
        if any(covers(name, own) for own in self.implied) or self._composed(name, wanted):
            return SYNONYM
        subjects = [other.mention for other in self.organs if other.mention and not other.mention.place]
        if self.denies and not self.sides:  # what is denied of the kidneys is denied of each
            if any(self.places.is_half(name, own) for mention in subjects for own in mention.names):
                return SYNONYM
        if not subjects and any(covers(name, own) for own in self.context):
            return CONTEXT
        return 0.0

    def _is_whole(self, name: str) -> bool:
        """Whether the evidence is about all of an organ, not only a part: a normal isthmus is no normal thyroid."""
        spoken_of = (*self.known(), *self.implied, *self.context)
        return any(name == own or self.places.is_half(name, own) for own in spoken_of)

    def _both_alike(self, side: str) -> bool:
        """Whether both sides are spoken of, and neither by itself."""
        single = [item for item in self.organs if item.mention and len(item.mention.names) == 1]
        return side in self.sides and not any(self.places.organs[item.key].side for item in single)

    def _elsewhere(self, wanted: Wanted) -> bool:
        """Whether an organ is named with whereabouts that neither its name nor the evidence has: "medial crus"."""
        names = wanted.item.mention.names if wanted.item.mention else ()
        return any(
            word in WHEREABOUTS
            and word not in self.analysis.stems
            and self.reader.lexicon.canonical(word) not in self.polarities
            and not any(word in self.places.words(name) for name in names)
            for word in wanted.stems
        )

    def _composed(self, name: str, wanted: Wanted) -> bool:
        """Whether the evidence names a part in several words: "Thyroid: nodule in the left lobe"."""
        side = self.places.organs[name].side
        if side is not None and self.sides != {side} and not self._both_alike(side):
            return False
        above = self.places.ancestors(name)
        if not any(own in above for own in self.known()):
            return False
        canonical = self.reader.lexicon.canonical
        words = [word for word in wanted.stems if word not in SIDES and word not in _SMALL]
        return all(word in self.named or canonical(word) in self.polarities for word in words)

    def _organ_gap(self, name: str) -> Gap:
        known = self.known()
        if any(self.places.other_side(name, own) for own in known):
            return _OTHER_SIDE
        return _OTHER_ORGAN if known else _NO_ORGAN

    def known(self) -> list[str]:
        """Names of the organs that the evidence has, or goes on about."""
        return [name for other in self.organs if other.mention for name in other.mention.names] or list(self.context)

    def _same_presence(self, item: Item, denied: bool) -> bool:
        """An organ that is itself denied ("the right kidney is not visualised") must be denied in the caption too."""
        gone = item.polarity == Polarity.NEGATED and not denied
        names = set(item.mention.names if item.mention else ())
        organs = [other for other in self.organs if other.mention and names.intersection(other.mention.names)]
        if not organs or (self.denies and denied):
            return True
        return gone == (not self.denies and all(other.polarity == Polarity.NEGATED for other in organs))

    def side(self, side: str, organs: Sequence[str]) -> Gap | float:
        """Weight of a side word that belongs to no organ name, in a claim about ``organs``."""
        if not _both(side) <= self.sides:
            return SYNONYM if self.denies and not self.sides else _NO_SIDE
        if self.own_side or side == "both" or len(self.sides) == 1 or not organs:
            return LITERAL
        related = self.reader.anatomist.related
        sides = {self.places.organs[own].side for own in self.known() if any(related(own, name) for name in organs)}
        return LITERAL if _both(side) <= sides else _NO_SIDE

    # -- sizes and words ------------------------------------------------------------------------------------------

    def measure(self, item: Item) -> Gap | float:
        """Weight of a size or number: the same values and unit, at the same time, under the same bound."""
        assert item.measure is not None
        kind = item.measure.kind
        alike = [other for other in self.items if other.measure and other.measure.kind == kind]
        same = {other.polarity for other in alike if other.measure and other.measure.carries(item.measure)}
        if not same:
            return _NO_MEASURE
        return LITERAL if item.polarity in same else _turned(item, same)

    def word(self, wanted: Wanted) -> Gap | float:
        """Weight of a finding or qualifier: the word itself, a synonym, or the same said in several words."""
        item, key = wanted.item, wanted.item.key
        weight = LITERAL if wanted.word in self.said else SYNONYM
        if key not in self.polarities:
            key, weight = self._spelled(item), SPELLED
        if key:
            polarities = self.polarities[key]
            return weight if item.polarity in polarities or key in POSITIONS else _turned(item, polarities)
        for parts in self._wordings(item):
            shared = set.intersection(*(self.polarities[part] for part in parts))
            return SYNONYM if item.polarity in shared else _turned(item, shared)
        if wanted.stems and self.named.issuperset(wanted.stems):
            return SYNONYM
        if self._removed(item):
            return SYNONYM
        if item.kind == "modifier":
            return _NO_GRADE
        return TURNED if item.key in NEUTRAL else _NO_WORD

    def _spelled(self, item: Item) -> str:
        """The key of the same word in another spelling, or nothing."""
        if item.entry is not None or len(item.key) <= 5:
            return ""
        start = item.key[:4]
        near = (key for key in self.polarities if key.startswith(start) and fuzz.ratio(key, item.key) >= SPELLING)
        return next(near, "")

    def _wordings(self, item: Item) -> Iterator[tuple[str, ...]]:
        """The ways to say ``item`` in several words that the evidence has all words of."""
        if item.parts and all(part in self.polarities for part in item.parts):
            yield item.parts
        if item.entry:
            for wording in item.entry.several:
                absent = [part for part in wording if part not in self.polarities]
                if len(absent) < len(wording) and all(self._names(part) for part in absent):
                    yield tuple(part for part in wording if part in self.polarities)

    def _removed(self, item: Item) -> bool:
        """Whether an operation that the caption names took an organ that the evidence calls absent."""
        if item.entry is None or not item.entry.organ or "absent_organ" not in item.entry.flags:
            return False
        gone = any(i.entry and "absent_organ" in i.entry.flags and not i.entry.organ for i in self.items)
        return gone and self._names(item.entry.organ)

    def _inside(self, item: Item) -> Iterator[str]:
        """Findings inside a name that holds its organ: "nephrolithiasis" is renal calculi, so it is calculi."""
        if item.entry and not item.entry.modifier:
            for wording in item.entry.several:
                if len(wording) == 2:
                    named = [self.reader.anatomist.resolve(part) is not None for part in wording]
                    if sum(named) == 1 and ":" not in wording[named.index(False)]:
                        yield wording[named.index(False)]

    def _names(self, word: str) -> bool:
        """Whether a word of a wording ("renal") is an organ that the evidence speaks of."""
        if word in self.named:
            return True
        name = self.reader.anatomist.resolve(word)
        return name is not None and any(self.places.covers(name, organ) for organ in (*self.known(), *self.context))


_SMALL = frozenset(("the", "of", "in"))


def denies(items: Iterable[Item]) -> bool:
    """Whether a finding, and not only an organ or its whereabouts, is denied."""
    return any(
        item.polarity == Polarity.NEGATED
        and item.kind in ("finding", "modifier", "measure")
        and item.key not in POSITIONS
        for item in items
    )


def _both(side: str) -> set[str]:
    return {"left", "right"} if side == "both" else {side}


def _turned(item: Item, polarities: set[Polarity]) -> Gap:
    if Polarity.NEGATED in polarities or item.polarity == Polarity.NEGATED:
        return _NOT_DENIED if item.polarity == Polarity.NEGATED else _DENIED
    return _SUSPECTED if item.polarity == Polarity.AFFIRMED else _CERTAIN
