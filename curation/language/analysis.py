"""Read one statement into what can be compared: organs, findings, measures and cues, in segments that belong together.

A segment is what stands between two commas, conjunctions or other breaks. "A 5 mm nodule in the right upper lobe and a
3 mm nodule in the left lower lobe" has two, and each keeps its own size and place. What a segment leaves out it takes
from its neighbours, as a reader does: "liver, spleen and pancreas are normal" says so of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from prompts.vocabulary import Vocabulary, load_vocabulary

from .anatomy import Anatomist
from .assertion import Polarity, Scopes
from .lexicon import Entry, Lexicon, Match, load_lexicon
from .lymph_nodes import OrganMention
from .measurements import Measure, find_measures
from .tokens import Token, stem, tokenize
from .word_lists import ATTRIBUTES, FUNCTION_WORDS, POSITIONS, SIDES, SOFT_BREAKS, VERBS

CACHED = 16_000
"""Statements and captions whose reading is kept: enough for what recurs, and a bound on memory (about 7 kB each)."""

Kind = Literal["organ", "finding", "modifier", "measure", "side", "hedge", "negation"]


@dataclass(slots=True, eq=False)
class Item:
    """One thing that a statement says: tokens ``[start, end)`` of it mean ``key``."""

    kind: Kind
    start: int
    end: int
    key: str
    polarity: Polarity = Polarity.AFFIRMED
    parts: tuple[str, ...] = ()
    entry: Entry | None = None
    mention: OrganMention | None = None
    measure: Measure | None = None
    attribute: bool = False  # names a property without saying how it is


@dataclass(slots=True, eq=False)
class Segment:
    """Tokens ``[start, end)`` between two breaks. ``joiner`` is the break before it, ``verb`` its first finite verb."""

    start: int
    end: int
    joiner: str
    items: list[Item] = field(default_factory=list)
    verb: int | None = None
    silent: bool = False  # names organs or attributes but no quality of them

    @property
    def organs(self) -> list[Item]:
        return [item for item in self.items if item.kind == "organ"]

    @property
    def sites(self) -> list[Item]:
        """The organs that the segment is about, without places on the way and enclosing organs."""
        return [item for item in self.organs if item.mention and not item.mention.place and not item.mention.container]

    @property
    def findings(self) -> list[Item]:
        return [item for item in self.items if item.kind == "finding"]


@dataclass(slots=True, eq=False)
class Analysis:
    """A statement as read. Token offsets count characters of ``text``."""

    text: str
    tokens: list[Token]
    stems: list[str]
    matches: list[Match]
    items: list[Item]
    segments: list[Segment]

    def has_flag(self, flag: str) -> bool:
        """Whether a phrase with this flag of the lexicon (``limitation``, ``recommendation`` …) stands in it."""
        return any(flag in match.entry.flags for match in self.matches)


class Reader:
    """Analyses statements with one vocabulary and one lexicon. Results are cached: reports repeat themselves."""

    def __init__(self, vocabulary: Vocabulary | None = None, lexicon: Lexicon | None = None) -> None:
        self.vocabulary = vocabulary or load_vocabulary()
        self.lexicon = lexicon or load_lexicon()
        self.anatomist = Anatomist(self.vocabulary)
        self.analyse = lru_cache(maxsize=CACHED)(self._analyse)

    def _analyse(self, text: str) -> Analysis:
        tokens = _with_conjunctions(tokenize(text))
        stems = [self.lexicon.base(token) for token in tokens]
        mentions = self.anatomist.find(text, tokens)
        measures = find_measures(tokens, self.lexicon.numbers)
        matches = self.lexicon.matches(stems)
        mentions = [mention for mention in mentions if not self._belongs_elsewhere(mention, matches)]
        matches = _free_matches(matches, mentions, measures)
        covered = _covered(len(tokens), mentions, matches, measures)
        for index in range(1, len(tokens) - 1):  # "pathological size and appearance" is one quality
            if tokens[index].word in SOFT_BREAKS and stems[index - 1] in ATTRIBUTES and stems[index + 1] in ATTRIBUTES:
                covered[index] = True
        scopes = Scopes(tokens, stems, matches, covered, frozenset(mention.start for mention in mentions))
        items = self._items(tokens, stems, mentions, matches, measures, scopes)
        segments = _segments(tokens, scopes.breaks, items)
        self._settle_anatomy(segments)
        return Analysis(text, tokens, stems, matches, items, segments)

    def _belongs_elsewhere(self, mention: OrganMention, matches: Sequence[Match]) -> bool:
        """Whether an adjective is part of a finding of another organ: "pulmonary hypertension" is not of the lungs."""
        if not mention.adjective:
            return False
        for match in matches:
            if match.entry.organ and match.start <= mention.start and mention.end <= match.end:
                organ = self.anatomist.resolve(match.entry.organ)
                if organ and not any(self.anatomist.related(organ, name) for name in mention.names):
                    return True
        return False

    def _items(
        self,
        tokens: Sequence[Token],
        stems: Sequence[str],
        mentions: Sequence[OrganMention],
        matches: Sequence[Match],
        measures: Sequence[Measure],
        scopes: Scopes,
    ) -> list[Item]:
        taken = [False] * len(tokens)
        items: list[Item] = []
        for mention in mentions:
            items.append(Item("organ", mention.start, mention.end, mention.names[0], mention=mention))
            if not mention.finding:
                taken[mention.start : mention.end] = [True] * (mention.end - mention.start)
        for measure in measures:
            if not any(taken[measure.start : measure.end]):
                items.append(Item("measure", measure.start, measure.end, measure.kind, measure=measure))
                taken[measure.start : measure.end] = [True] * (measure.end - measure.start)
        for at, token in enumerate(tokens):
            if token.word == "both" and _pairs_words(tokens, at, taken):
                taken[at] = True
        for match in matches:
            item = _phrase_item(match, stems, taken)
            if item is not None:
                items.append(item)
            taken[match.start : match.end] = [True] * (match.end - match.start)
        for start, (end, _) in scopes.cues.items():
            if not any(item.start == start and item.kind in ("hedge", "negation") for item in items):
                items.append(Item("negation", start, end, "not"))
            taken[start:end] = [True] * (end - start)
        items.extend(
            _word_item(index, token, stems[index])
            for index, token in enumerate(tokens)
            if not taken[index] and token.word[0].isalnum() and token.word not in FUNCTION_WORDS
        )
        for item in items:
            if item.entry and "normality" in item.entry.flags and _is_departure(tokens, item.start):
                item.entry, item.key = None, "departure"
            item.attribute = _is_attribute(item)
            if item.kind not in ("hedge", "negation"):
                item.polarity = scopes.polarity[item.start]
        items.sort(key=lambda item: (item.start, item.end))
        items = _without_title(tokens, items)
        if any(token.word in _ALTERNATIVE for token in tokens):
            _doubt_alternatives(tokens, items)
        return items

    def _settle_anatomy(self, segments: Sequence[Segment]) -> None:
        earlier: OrganMention | None = None
        for segment in segments:
            mentions = [item.mention for item in segment.items if item.mention]
            words = [(item.start, item.key.removeprefix("side:")) for item in segment.items if item.kind == "side"]
            self.anatomist.set_sides(mentions, words, earlier if segment.joiner in ("and", "or", ",", "/") else None)
            earlier = mentions[-1] if mentions else earlier
        every = [item for segment in segments for item in segment.organs]
        self.anatomist.share_sides([item.mention for item in every if item.mention])
        for segment in segments:
            self.anatomist.mark_containers([item.mention for item in segment.items if item.mention])
        self.anatomist.mark_regions([item.mention for item in every if item.mention])
        for item in every:
            if item.mention:
                item.key = item.mention.names[0]
                item.mention.within = self.vocabulary.ancestors(item.key)
        for segment in segments:
            segment.silent = not any(map(_speaks, segment.items))


_ASIDE = frozenset(("attribute", "limitation", "history", "recommendation", "scope_end", "exception"))


_DEPARTURES = frozenset("reversal loss straightening than above below beyond more less outside exceeding".split())


def _is_departure(tokens: Sequence[Token], at: int) -> bool:
    """Whether "normal" is what is departed from: "reversal of the normal curvature", "larger than normal"."""
    before = [token.word for token in tokens[max(0, at - 3) : at] if token.word not in ("of", "the", "its")]
    return bool(before) and before[-1] in _DEPARTURES


def _is_attribute(item: Item) -> bool:
    if item.kind != "finding" or (item.entry is not None and "normality" in item.entry.flags):
        return False
    return item.key in ATTRIBUTES or (item.entry is not None and not _ASIDE.isdisjoint(item.entry.flags))


def _speaks(item: Item) -> bool:
    if item.mention:
        return item.mention.device
    return item.kind not in ("side", "negation") and not item.attribute


def _with_conjunctions(tokens: list[Token]) -> list[Token]:
    """ "A as well as B" lists as "A and B" does."""
    words = [token.word for token in tokens]
    for index in range(1, len(tokens) - 1):
        if words[index] == "well" and words[index - 1] == words[index + 1] == "as":
            tokens[index] = tokens[index]._replace(word="and", stem="and")
    return tokens


def _without_title(tokens: Sequence[Token], items: list[Item]) -> list[Item]:
    """What a heading names and its text names again is said by the text: "LYMPHADENOPATHY: No adenopathy." """
    colon = next((index for index, token in enumerate(tokens) if token.word == ":"), 0)
    if not 0 < colon <= _LONGEST_TITLE:
        return items
    body = [item for item in items if item.start > colon]
    if body and body[0].kind == "negation" and not any(item.kind in ("finding", "organ") for item in body):
        for item in items:  # "Pleural effusion: none"
            if item.start < colon and item.kind in ("finding", "modifier"):
                item.polarity = Polarity.NEGATED
    again = {item.key for item in items if item.start > colon and item.kind == "finding"}
    return [item for item in items if item.start > colon or item.kind != "finding" or item.key not in again]


def _pairs_words(tokens: Sequence[Token], at: int, taken: Sequence[bool]) -> bool:
    """Whether "both" joins two words that are no sides of anything: "in both the axial and coronal planes"."""
    following = [index for index in range(at + 1, min(at + 4, len(tokens))) if tokens[index].word != "the"][:2]
    if len(following) < 2 or tokens[following[1]].word != "and":
        return False
    return not taken[following[0]] and stem(tokens[following[0]].word) not in POSITIONS


_LONGEST_TITLE = 8
_ALTERNATIVE = frozenset(("or", "versus", "vs"))


def _doubt_alternatives(tokens: Sequence[Token], items: Sequence[Item]) -> None:
    """One of two findings joined by "or" is there, but neither is affirmed: "atelectasis or fibrosis"."""
    for at, token in enumerate(tokens):
        if token.word not in _ALTERNATIVE:
            continue
        before = next((item for item in reversed(items) if item.end <= at), None)
        after = next((item for item in items if item.start > at and item.kind != "modifier"), None)
        if before and after and before.end >= at - 1 and _is_named_finding(before) and _is_named_finding(after):
            for item in (before, after):
                if item.polarity == Polarity.AFFIRMED:
                    item.polarity = Polarity.ATTRIBUTED


def _is_named_finding(item: Item) -> bool:
    entry = item.entry
    return item.kind == "finding" and entry is not None and not entry.flags & {"attribute", "normality"}


def _free_matches(
    matches: Sequence[Match], mentions: Sequence[OrganMention], measures: Sequence[Measure]
) -> list[Match]:
    """Lexicon matches that say more than the organ name or number they touch."""
    spans = [(mention.start, mention.end) for mention in mentions if not mention.finding]
    spans += [(measure.start, measure.end) for measure in measures]
    return [m for m in matches if not any(start <= m.start and m.end <= end for start, end in spans)]


def _covered(
    count: int, mentions: Sequence[OrganMention], matches: Sequence[Match], measures: Sequence[Measure]
) -> list[bool]:
    covered = [False] * count
    spans = [(one.start, one.end) for group in (mentions, matches, measures) for one in group]
    for start, end in spans:
        if end - start > 1:
            covered[start:end] = [True] * (end - start)
    return covered


def _phrase_item(match: Match, stems: Sequence[str], taken: Sequence[bool]) -> Item | None:
    entry = match.entry
    if entry.hedge:
        return Item("hedge", match.start, match.end, entry.key, entry=entry)
    if entry.negation:
        return Item("negation", match.start, match.end, entry.key, entry=entry)
    if entry.flags & {"reporting", "scope_end"} and not entry.modifier and "normality" not in entry.flags:
        return None
    if all(taken[match.start : match.end]):
        return None
    if entry.key == "extent:bilateral":
        return Item("side", match.start, match.end, "side:both")
    free = {stems[index] for index in range(match.start, match.end) if not taken[index]}
    parts = tuple(part for word, part in zip(entry.words, entry.parts, strict=True) if word in free)
    kind: Kind = "modifier" if entry.modifier else "finding"
    return Item(kind, match.start, match.end, entry.key, parts=parts, entry=entry)


def _word_item(index: int, token: Token, stem: str) -> Item:
    if token.word in SIDES:
        return Item("side", index, index + 1, f"side:{SIDES[token.word]}")
    return Item("finding", index, index + 1, stem)


def _segments(tokens: Sequence[Token], breaks: Sequence[int], items: Sequence[Item]) -> list[Segment]:
    segments: list[Segment] = []
    start, joiner = 0, ""
    for stop in [*breaks, len(tokens)]:
        if stop > start:
            segments.append(Segment(start, stop, joiner))
        if stop < len(tokens):
            joiner = f"{joiner} {tokens[stop].word}".strip() if stop == start else tokens[stop].word
        start = stop + 1
    for item in items:
        for segment in segments:
            if segment.start <= item.start < segment.end:
                segment.items.append(item)
                break
    for segment in segments:
        segment.verb = next((i for i in range(segment.start, segment.end) if tokens[i].word in VERBS), None)
    return [segment for segment in segments if segment.items or segment.verb is not None]
