"""Lymph nodes by station: which nodes "mediastinal and hilar lymph nodes" names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from curation.runtime.limits import NODES_OF_STATEMENT
from prompts.vocabulary import Vocabulary

from .mentions import OrganMention
from .tokens import Token
from .word_lists import ADENOPATHY, ATTRIBUTE_STEMS, NAME_JOINERS, NO_STATION, PLACE_NOUNS, SIDES, STATION_LIST_ENDS

_LONGEST_STATION = 3
"""Words of the longest name of a station."""


class LymphNodeStations:
    """Finds the stations that a statement lists apart from its lymph nodes, with the names of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._nodal = {"lymph nodes", *vocabulary.descendants("lymph nodes")}
        self._cached_nodes_of = lru_cache(maxsize=50_000)(self._find_nodes_of)

    def add_to(self, mentions: list[OrganMention], tokens: Sequence[Token]) -> list[OrganMention]:
        """Return the mentions in order, with stations that are listed apart: "lymph nodes in the mediastinum and hila".

        A station takes the place of the mention of an organ on the same tokens.
        """
        mentions = sorted([*mentions, *_adenopathies(tokens, mentions)], key=lambda mention: mention.start)
        nodes = [mention for mention in mentions if not self._nodal.isdisjoint(mention.names)]
        stations: list[OrganMention] = []
        for node in nodes[: NODES_OF_STATEMENT.most]:
            if len(stations) > NODES_OF_STATEMENT.most:
                break
            beside = self._stations_before(tokens, node) + self._stations_after(tokens, node.end, mentions)
            stations += beside
            if not beside:
                listed = self._stations_after(tokens, _list_start(tokens, node.start), mentions, node.start)
                shared = [station for station in listed if _is_of_another_noun(station, tokens, mentions)]
                stations += [station for station in listed if station not in shared]
                if node.finding and shared and len(shared) == len(listed):
                    node.names = shared[-1].names  # "no pelvic fluid or lymphadenopathy"
        if not stations:
            return mentions
        covered = {index for station in stations for index in range(station.start, station.end)}
        others = [m for m in mentions if m in nodes or not covered.intersection(range(m.start, m.end))]
        return sorted(others + stations, key=lambda mention: mention.start)

    def _stations_before(self, tokens: Sequence[Token], node: OrganMention) -> list[OrganMention]:
        """Return the stations that are joined to a mention of lymph nodes from the left, the nearest first."""
        stations: list[OrganMention] = []
        at = node.start
        if node.finding and (station := self._station_ending(tokens, at)):  # "mediastinal and hilar adenopathy"
            stations.append(station)
            at = station.start
        while at >= 2 and tokens[at - 1].word in NAME_JOINERS:
            while at >= 3 and tokens[at - 2].word in NAME_JOINERS:  # ", or"
                at -= 1
            station = self._station_ending(tokens, at - 1)
            if station is None:
                break
            stations.append(station)
            at = station.start
            while at >= 1 and (tokens[at - 1].word in SIDES or tokens[at - 1].word == "pre"):
                at -= 1
            if at >= 2 and tokens[at - 1].word == "-":  # "pre-paratracheal"
                at -= 2 if tokens[at - 2].word == "pre" else 0
        return stations

    def _station_ending(self, tokens: Sequence[Token], end: int) -> OrganMention | None:
        """Return the longest station whose last token stands before ``end``."""
        for start in range(max(0, end - _LONGEST_STATION), end):
            if name := self._nodes_named(tokens, start, end):
                return OrganMention(start, end, (name,), station=True)
        return None

    def _stations_after(
        self, tokens: Sequence[Token], at: int, mentions: Sequence[OrganMention], stop: int | None = None
    ) -> list[OrganMention]:
        """Return the stations between ``at`` and ``stop``, or the end of the list."""
        stations: list[OrganMention] = []
        by_start = {mention.start: mention for mention in mentions}
        stop = len(tokens) if stop is None else stop
        while at < stop and tokens[at].word not in STATION_LIST_ENDS:
            mention = by_start.get(at)
            end = mention.end if mention else at
            is_measured = end < len(tokens) and tokens[end].stem in ATTRIBUTE_STEMS  # "and normal spleen size"
            name = self._nodes_at(mention) if mention and not is_measured else None
            for width in range(_LONGEST_STATION, 0, -1):
                if name is None and at + width <= len(tokens) and (nodes := self._nodes_named(tokens, at, at + width)):
                    name, end = nodes, at + width
            if name is not None and tokens[at].word[0].isalpha():
                stations.append(OrganMention(at, end, (name,), station=True, origin=mention.names if mention else ()))
            at = max(end, at + 1)
        return stations

    def _nodes_named(self, tokens: Sequence[Token], start: int, end: int) -> str | None:
        """Return the lymph nodes that tokens ``[start, end)`` name before the word "lymph nodes"."""
        words = [token.word for token in tokens[start:end]]
        is_name = words[0] != "-" != words[-1] and all([word[0].isalpha() or word == "-" for word in words])
        return self._nodes_of(" ".join(words).replace(" - ", "-")) if is_name else None

    def _nodes_at(self, mention: OrganMention) -> str | None:
        """Return the nodes of an organ: "mediastinum" is the place of the mediastinal lymph nodes."""
        organ = self._vocabulary.organs[mention.names[0]]
        if len(mention.names) > 1:
            groups = (self._vocabulary.organs[name] for name in organ.parents if self._vocabulary.sided(name))
            organ = next(groups, organ)
        names = map(self._nodes_of, (organ.name, *organ.adjectives))
        return next((name for name in names if name), None)

    def _nodes_of(self, words: str) -> str | None:
        return self._cached_nodes_of(words)

    def _find_nodes_of(self, words: str) -> str | None:
        if not words or words in NO_STATION:
            return None
        name = self._vocabulary.resolve(f"{words} lymph nodes")
        return name if name != "lymph nodes" else None


def _is_of_another_noun(station: OrganMention, tokens: Sequence[Token], mentions: Sequence[OrganMention]) -> bool:
    """Tell whether a station is the adjective of another noun: "pelvic" in "no pelvic fluid or lymphadenopathy"."""
    is_adjective = any(mention.adjective and mention.start == station.start for mention in mentions)
    following = tokens[station.end].word if station.end < len(tokens) else ""
    return is_adjective and following[:1].isalpha() and following not in NAME_JOINERS and following not in PLACE_NOUNS


def _list_start(tokens: Sequence[Token], at: int) -> int:
    """Return the index behind the last token before ``at`` at which a list of stations ends."""
    return next((index + 1 for index in range(at - 1, -1, -1) if tokens[index].word in STATION_LIST_ENDS), 0)


def _adenopathies(tokens: Sequence[Token], mentions: Sequence[OrganMention]) -> list[OrganMention]:
    """Return mentions for words that name lymph nodes and a finding of them at once, outside the given mentions."""
    if ADENOPATHY.isdisjoint([token.word for token in tokens]):
        return []
    covered = {index for mention in mentions for index in range(mention.start, mention.end)}
    return [
        OrganMention(index, index + 1, ("lymph nodes",), finding=True)
        for index, token in enumerate(tokens)
        if token.word in ADENOPATHY and index not in covered
    ]
