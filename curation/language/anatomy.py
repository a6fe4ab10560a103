"""Which organs a statement names, on which side, and whether each is its subject or only a place on the way.

"A nodule adjacent to the spleen" names the spleen as a place; "the upper lobe of the right lung" is one organ,
the right upper lobe, inside another; "enlarged lymph nodes in the mediastinum" are mediastinal lymph nodes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

from prompts.vocabulary import Mention, Vocabulary

from .lymph_nodes import _JOIN, _STOPS, OrganMention, adenopathies, clause_start
from .tokens import Token
from .word_lists import (
    ARTICLES,
    LATIN_PLURALS,
    PART_ADJECTIVES,
    PLACE_NOUNS_BEFORE_OF,
    PLACE_PREPOSITIONS,
    PLACE_WORDS_BEFORE_TO,
    SIDES,
)

_ORDINAL = re.compile(r"(\d+) (st|nd|rd|th)\b")
# Fluid and air lie between their leaves.
_SEROUS = frozenset(("pleura", "left pleura", "right pleura", "pericardium", "peritoneum"))
_OF_BOTH = frozenset("bibasilar bibasal biapical bihilar".split())


class Anatomist:
    """Finds organ mentions in tokenised statements with one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.related = lru_cache(maxsize=100_000)(vocabulary.related)
        self.resolve = lru_cache(maxsize=50_000)(vocabulary.resolve)
        self._resolve_station = lru_cache(maxsize=50_000)(self._find_station)
        self._devices = vocabulary.descendants("devices")
        self._nodal = {"lymph nodes", *vocabulary.descendants("lymph nodes")}

    def find(self, text: str, tokens: Sequence[Token]) -> list[OrganMention]:
        """Mentions in order, with both halves of coordinated names ("right upper and lower lobes")."""
        starts = [token.start for token in tokens]
        found: list[OrganMention] = []
        for named in self.vocabulary.find(text):
            own = self._mention(named, starts, tokens)
            found.extend(self._coordinated(own, tokens, found[-1].end if found else 0))
            found.append(own)
        found = self._with_stations(found, tokens)
        for mention in found:
            mention.place = _is_place(tokens, mention) and not _SEROUS.intersection(mention.names)
            mention.device = mention.names[0] in self._devices
            mention.pair = self.pair_of(mention.names[0])
        return found

    def pair_of(self, name: str) -> tuple[str, str] | None:
        """(left, right) of a group or of one of its sides."""
        if self.vocabulary.organs[name].side is None:
            return self.vocabulary.sided(name)
        pairs = (self.vocabulary.sided(parent) for parent in self.vocabulary.organs[name].parents)
        return next((pair for pair in pairs if pair and name in pair), None)

    def share_sides(self, mentions: Sequence[OrganMention]) -> None:
        """A pair named again without its sides means the same: "both lungs are clear … in the lung parenchyma"."""
        pairs = {m.names for m in mentions if len(m.names) == 2}
        for mention in mentions:
            for names in pairs:
                if mention.names[0] not in names and self.vocabulary.sided(mention.names[0]) == names:
                    mention.names = names

    def set_sides(
        self,
        mentions: Sequence[OrganMention],
        words: Sequence[tuple[int, str]],
        earlier: OrganMention | None = None,
    ) -> None:
        """Turn pairs such as "kidneys" into the sides that one segment of a statement gives them.

        ``words`` are the side words of the segment that belong to no mention, as (token index, side); ``earlier`` is
        the mention before the segment: "the left laterobasal and posterobasal segments" are both left.
        """
        for mention in mentions:
            if len(mention.names) != 1:
                continue
            pair = self.vocabulary.sided(mention.names[0])
            if pair is None:
                continue
            side = self._side_of(mention, mentions, words, earlier)
            if side == "both":
                mention.names = pair
            elif side:
                mention.names = (pair[0] if side == "left" else pair[1],)

    def mark_regions(self, mentions: Sequence[OrganMention]) -> None:
        """A region ("upper abdomen") is only a frame where the statement names an organ, lymph nodes where it names
        their stations."""
        regions = [m for m in mentions if all(self.vocabulary.organs[name].region for name in m.names)]
        if len(regions) < sum(not mention.place for mention in mentions):
            for mention in regions:
                mention.container = True
        if any(mention.station for mention in mentions):
            for mention in mentions:
                mention.container |= mention.names == ("lymph nodes",)

    def mark_containers(self, mentions: Sequence[OrganMention]) -> None:
        """Mark the organs that only say where a more exact one of the same segment lies."""
        for mention in mentions:
            mention.container = any(
                other is not mention
                and not other.place
                and other.names != mention.names
                and all(self._above(name, other.names) for name in mention.names)
                for other in mentions
            )

    def _above(self, name: str, others: tuple[str, ...]) -> bool:
        return any(name != other and name in self.vocabulary.ancestors(other) for other in others)

    def _side_of(
        self,
        mention: OrganMention,
        mentions: Sequence[OrganMention],
        words: Sequence[tuple[int, str]],
        earlier: OrganMention | None,
    ) -> str | None:
        before = [side for at, side in words if mention.start - 4 <= at < mention.start]
        if before:
            return "both" if len(set(before)) > 1 else before[-1]
        for other in mentions:
            if other is not mention and self._nested(mention, other):
                sides = {self.vocabulary.organs[name].side for name in other.names} - {None}
                if sides:
                    return "both" if len(sides) > 1 else sides.pop()
        if earlier is not None and not words and self._alike(mention, earlier):
            return self.vocabulary.organs[earlier.names[0]].side
        after = {side for at, side in words if at >= mention.end} or {side for at, side in words}
        if after:
            return "both" if len(after) > 1 else after.pop()
        return "both" if mention.plural else None

    def _alike(self, mention: OrganMention, earlier: OrganMention) -> bool:
        """Whether two mentions are parts of the same paired organ, the earlier of one side of it."""
        if len(earlier.names) != 1 or self.vocabulary.organs[earlier.names[0]].side is None:
            return False
        shared = self.vocabulary.ancestors(mention.names[0]) & self.vocabulary.ancestors(earlier.names[0])
        return any(self.vocabulary.sided(name) for name in shared)

    def _nested(self, inner: OrganMention, outer: OrganMention) -> bool:
        return any(name in self.vocabulary.ancestors(inner.names[0]) for name in self._unsided(outer.names))

    def _unsided(self, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            yield name
            if self.vocabulary.organs[name].side:
                yield from self.vocabulary.organs[name].parents

    def _mention(self, mention: Mention, starts: list[int], tokens: Sequence[Token]) -> OrganMention:
        start, end = bisect_left(starts, mention.start), bisect_left(starts, mention.end)
        first = tokens[start].word
        plural = (
            SIDES.get(first) == "both"
            or first in _OF_BOTH
            or (not mention.adjective and any(_is_plural(token.word) for token in tokens[start:end]))
        )
        return OrganMention(start, end, mention.names, adjective=mention.adjective, plural=plural)

    def _with_stations(self, found: list[OrganMention], tokens: Sequence[Token]) -> list[OrganMention]:
        """Lymph nodes by station where these are listed apart: "lymph nodes in the mediastinum and both hila"."""
        found = sorted([*found, *adenopathies(tokens, found)], key=lambda mention: mention.start)
        nodes = [mention for mention in found if any(name in self._nodal for name in mention.names)]
        stations: list[OrganMention] = []
        for node in nodes:
            beside = self._stations_before(tokens, node) + self._stations_after(tokens, node.end, found)
            stations += beside or self._stations_after(tokens, clause_start(tokens, node.start), found, node.start)
        if not stations:
            return found
        taken = {index for station in stations for index in range(station.start, station.end)}
        kept = [m for m in found if m in nodes or not taken.intersection(range(m.start, m.end))]
        return sorted(kept + stations, key=lambda mention: mention.start)

    def _stations_before(self, tokens: Sequence[Token], node: OrganMention) -> list[OrganMention]:
        stations: list[OrganMention] = []
        at = node.start
        if node.finding:  # "mediastinal and hilar adenopathy"
            width = next((w for w in (3, 2, 1) if at - w >= 0 and self._station(tokens, at - w, at)), 0)
            if width:
                name = self._station(tokens, at - width, at)
                stations.append(OrganMention(at - width, at, (name or "",), station=True))
                at -= width
        while at >= 2 and tokens[at - 1].word in _JOIN:
            while at >= 3 and tokens[at - 2].word in _JOIN:  # ", or"
                at -= 1
            width = next((w for w in (3, 2, 1) if at - 1 - w >= 0 and self._station(tokens, at - 1 - w, at - 1)), 0)
            if not width:
                break
            name = self._station(tokens, at - 1 - width, at - 1)
            stations.append(OrganMention(at - 1 - width, at - 1, (name or "",), station=True))
            at -= width + 1
            while at >= 1 and (tokens[at - 1].word in SIDES or tokens[at - 1].word == "pre"):
                at -= 1
            if at >= 2 and tokens[at - 1].word == "-":  # "pre-paratracheal"
                at -= 2 if tokens[at - 2].word == "pre" else 0
        return stations

    def _stations_after(
        self, tokens: Sequence[Token], at: int, found: Sequence[OrganMention], stop: int | None = None
    ) -> list[OrganMention]:
        """Stations between ``at`` and ``stop``, or the end of the clause."""
        stations: list[OrganMention] = []
        by_start = {mention.start: mention for mention in found}
        stop = len(tokens) if stop is None else stop
        while at < stop and tokens[at].word not in _STOPS:
            mention = by_start.get(at)
            end = mention.end if mention else at
            name = self._station_at(mention) if mention else None
            for width in (3, 2, 1):
                if name is None and at + width <= len(tokens) and (word_name := self._station(tokens, at, at + width)):
                    name, end = word_name, at + width
            if name is not None and tokens[at].word[0].isalpha():
                stations.append(OrganMention(at, end, (name,), station=True, origin=mention.names if mention else ()))
            at = max(end, at + 1)
        return stations

    def _station(self, tokens: Sequence[Token], start: int, end: int) -> str | None:
        words = [token.word for token in tokens[start:end]]
        return self._resolve_station(" ".join(words)) if all(word[0].isalpha() for word in words) else None

    def _station_at(self, mention: OrganMention) -> str | None:
        """The nodes of an organ: "mediastinum" is the place of the mediastinal lymph nodes."""
        organ = self.vocabulary.organs[mention.names[0]]
        if len(mention.names) > 1:
            organ = next((self.vocabulary.organs[p] for p in organ.parents if self.vocabulary.sided(p)), organ)
        for word in (organ.name, *organ.adjectives):
            name = self._resolve_station(word)
            if name:
                return name
        return None

    def _find_station(self, words: str) -> str | None:
        if not words or words in ("enlarged", "pathological", "lymph", "other"):
            return None
        name = self.vocabulary.resolve(f"{words} lymph nodes")
        return name if name != "lymph nodes" else None

    def _coordinated(self, own: OrganMention, tokens: Sequence[Token], free_from: int) -> list[OrganMention]:
        """Names that share their noun with ``own``: "right upper" in "right upper and left lower lobes"."""
        found: list[OrganMention] = []
        head = next((at for at in range(own.start, own.end) if not _qualifies(tokens[at].word)), own.end)
        tail = tokens[head : own.end]
        at = own.start
        while tail and at - 2 >= free_from and tokens[at - 1].word in _JOIN:
            begin = end = at - 1
            while begin > free_from and _qualifies(tokens[begin - 1].word):
                begin -= 1
            if begin == end:
                break
            name = self.resolve(_spelled([*tokens[begin:end], *tail]))
            if name is None:
                break
            found.insert(0, OrganMention(begin, end, (name,)))
            at = begin
        if found and not any(token.word in SIDES for token in tokens[own.start : head]):
            self._take_side(own, found[-1], tokens, head)
        return found

    def _take_side(self, own: OrganMention, before: OrganMention, tokens: Sequence[Token], head: int) -> None:
        """The side of "left 7th and 8th ribs" is said once and holds for the last as well."""
        sides = [token for token in tokens[before.start : before.end] if token.word in SIDES]
        name = self.resolve(_spelled([*sides, *tokens[own.start : head], *tokens[head : own.end]])) if sides else None
        if name is not None:
            own.names, own.plural = (name,), False


def _spelled(tokens: Sequence[Token]) -> str:
    """Tokens as a phrase; what was written without a space (7th) is again."""
    parts = [
        token.word if index and tokens[index - 1].end == token.start else f" {token.word}"
        for index, token in enumerate(tokens)
    ]
    return "".join(parts).strip()


def _qualifies(word: str) -> bool:
    """Whether a word before the noun of a name says which one is meant: right, upper, 7th."""
    return word in PART_ADJECTIVES or word in SIDES or word.isdigit() or word in ("st", "nd", "rd", "th")


def _is_plural(word: str) -> bool:
    return word in LATIN_PLURALS or (word.endswith("s") and not word.endswith(("ss", "us", "is", "as")))


def _is_place(tokens: Sequence[Token], mention: OrganMention) -> bool:
    """Whether the words around a mention make it a place relative to which something else is described."""
    if mention.end < len(tokens) and tokens[mention.end].word in ("level", "levels"):
        return True
    at = mention.start - 1
    while at >= 0 and (tokens[at].word in ARTICLES or tokens[at].word in SIDES) and tokens[at].word != "of":
        at -= 1
    if at < 0:
        return False
    word = tokens[at].word
    if word in PLACE_PREPOSITIONS:
        return True
    if word in ("to", "into", "with") and at:
        return tokens[at - 1].word in PLACE_WORDS_BEFORE_TO
    return word == "of" and at > 0 and tokens[at - 1].word in PLACE_NOUNS_BEFORE_OF
