"""Which organs a statement names, on which side, and whether each is its subject or only a place on the way.

"A nodule adjacent to the spleen" names the spleen as a place; "the upper lobe of the right lung" is one organ,
the right upper lobe, inside another; "enlarged lymph nodes in the mediastinum" are mediastinal lymph nodes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from prompts.vocabulary import Mention, Vocabulary

from .lymph_nodes import LymphNodeStations
from .mentions import OrganMention, is_listed_with, is_plural_name
from .numbers.level_names import is_fat_of_a_node, without_false_levels
from .numbers.lung_codes import name_segments
from .numbers.ranges import mark_ranges
from .structure.places import mark_places, name_surroundings, surroundings_of
from .structure.shared_nouns import share_noun, spelled
from .structure.side_frames import SideFrame, framed_side, lies_in_region
from .tokens import Token
from .word_lists import (
    BOTH_SIDES_ADJECTIVES,
    NAME_JOINERS,
    ORDINAL_ENDINGS,
    ORDINALS,
    PART_ADJECTIVES,
    SIDES,
)

_NAME_JOINERS = NAME_JOINERS | {"through", "thru"}  # "the third through seventh ribs"
_SIDE_REACH = 4
"""Tokens before a mention within which a side word belongs to it."""


class OrganFinder:
    """Finds organ mentions in tokenised statements with one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._cached_related = lru_cache(maxsize=100_000)(vocabulary.related)
        self._cached_resolve = lru_cache(maxsize=50_000)(vocabulary.resolve)
        self._cached_pair = lru_cache(maxsize=50_000)(self._pair_of)
        self._stations = LymphNodeStations(vocabulary)
        self._devices = vocabulary.descendants("devices")
        self.surroundings = surroundings_of(vocabulary)

    def related(self, organ: str, other_organ: str) -> bool:
        """Tell whether two organs are the same, or one is part of the other. Raises KeyError for an unknown name."""
        return self._cached_related(organ, other_organ)

    def resolve(self, name: str) -> str | None:
        """Return the canonical name of an organ, or None where the vocabulary does not know the name."""
        return self._cached_resolve(name)

    def find(self, text: str, tokens: Sequence[Token]) -> list[OrganMention]:
        """Return the mentions in order, with both halves of coordinated names ("right upper and lower lobes")."""
        starts, mentions = [token.start for token in tokens], list[OrganMention]()
        for passage in self.vocabulary.find(text):
            mention = _mention(passage, starts, tokens)
            if is_fat_of_a_node(mention, tokens) or (mentions and mention.start < mentions[-1].end):
                continue  # the second half of a token, as in "liver'spleen"
            share_noun(mentions, mention, tokens, self.vocabulary)
            shared = self._coordinated(mention, tokens, mentions[-1].end if mentions else 0)
            mentions.extend([pair] if (pair := self._both_sides(shared, mention)) else [*shared, mention])
        mentions = name_segments(without_false_levels(mentions, tokens, self.vocabulary), tokens, self.vocabulary)
        self._settle_parts_of_other_side(mentions, tokens)
        mentions = self._stations.add_to(mentions, tokens)
        self._add_levels(mentions, tokens)
        mark_ranges(mentions, tokens)
        mark_places(mentions, tokens)
        name_surroundings(mentions, tokens, self.surroundings)
        for mention in mentions:
            mention.device = mention.names[0] in self._devices
            mention.pair = self.pair_of(mention.names[0])
        return mentions

    def pair_of(self, name: str) -> tuple[str, str] | None:
        """Return the (left, right) names of a group or of one of its sides, None where it has no sides."""
        return self._cached_pair(name)

    def _pair_of(self, name: str) -> tuple[str, str] | None:
        if self.vocabulary.organs[name].side is None:
            return self.vocabulary.sided(name)
        pairs = (self.vocabulary.sided(parent) for parent in self.vocabulary.organs[name].parents)
        return next((pair for pair in pairs if pair and name in pair), None)

    def share_sides(self, mentions: Sequence[OrganMention]) -> None:
        """Give a pair that is named again without its sides both: "both lungs are clear … in the lung parenchyma"."""
        pairs = {mention.names for mention in mentions if len(mention.names) == 2}
        for mention in mentions if pairs else ():
            pair = self.vocabulary.sided(mention.names[0])
            if pair is not None and pair in pairs and mention.names[0] not in pair:
                mention.names = pair

    def set_sides(
        self,
        mentions: Sequence[OrganMention],
        side_words: Sequence[tuple[int, str]],
        earlier: OrganMention | None = None,
        frames: Sequence[SideFrame] = (),
    ) -> None:
        """Turn pairs such as "kidneys" into the sides that one segment of a statement gives them.

        ``side_words`` are those of the segment that belong to no mention, as (token index, side); ``earlier`` is
        the mention before the segment: "the left laterobasal and posterobasal segments" are both left; ``frames`` open
        the statement: "Right leg: …".
        """
        for mention in mentions:
            if len(mention.names) != 1:
                continue
            pair = self.vocabulary.sided(mention.names[0])
            if pair is None:
                continue
            side = self._side_of(mention, mentions, side_words, earlier)
            if side is None:
                framed = None if mention.bilateral else framed_side(mention, frames, self.vocabulary)
                side = framed or ("both" if mention.plural else None)
            if side == "both":
                mention.names = pair
            elif side:
                mention.names = (pair[0] if side == "left" else pair[1],)

    def mark_regions(self, mentions: Sequence[OrganMention]) -> None:
        """Mark as containers regions ("upper abdomen") beside an organ, and "lymph nodes" beside their stations."""
        regions = [m for m in mentions if all(self.vocabulary.organs[name].region for name in m.names)]
        around = self._enclosing(name for region in regions for name in region.names)
        if len(regions) < sum(not m.place and not (m.container and m.names[0] in around) for m in mentions):
            for mention in regions:
                mention.container = True
        if any(mention.station for mention in mentions):
            for mention in mentions:
                mention.container |= mention.names == ("lymph nodes",)

    def mark_containers(self, mentions: Sequence[OrganMention]) -> None:
        """Mark the organs that only say where a more exact one of the same segment lies."""
        if len(mentions) < 2:
            return
        inner = {mention.names for mention in mentions if not mention.place}
        enclosing = self._enclosing(name for names in inner for name in names)
        for mention in mentions:
            mention.container = enclosing.issuperset(mention.names) and any(
                names != mention.names and self._enclosing(names).issuperset(mention.names) for names in inner
            )

    def _enclosing(self, names: Iterable[str]) -> set[str]:
        """Return all organs that some of the named are parts of."""
        return set[str]().union(*map(self.vocabulary.ancestors, names))

    def _side_of(
        self,
        mention: OrganMention,
        mentions: Sequence[OrganMention],
        side_words: Sequence[tuple[int, str]],
        earlier: OrganMention | None,
    ) -> str | None:
        """Return the side of a pair that its segment states: "left", "right", "both" or None.

        It is that of the words right before it, else of an organ that encloses it, else of the mention before, else of
        other words of the segment.
        """
        before = [side for at, side in side_words if mention.start - _SIDE_REACH <= at < mention.start]
        if before:
            return "both" if len(set(before)) > 1 else before[-1]
        outer_sides = self._sides_of_outer(mention, mentions)
        if outer_sides:
            return "both" if len(outer_sides) > 1 else outer_sides.pop()
        if (
            earlier is not None
            and not side_words
            and (self._shares_pair(mention, earlier) or is_listed_with(mention, earlier))
        ):
            return self.vocabulary.organs[earlier.names[0]].side
        stated = {side for at, side in side_words if at >= mention.end} or {side for at, side in side_words}
        if stated:
            return "both" if len(stated) > 1 else stated.pop()
        return None

    def _sides_of_outer(self, mention: OrganMention, mentions: Sequence[OrganMention]) -> set[str]:
        """Return the sides of the first organ that a mention lies within, or of all regions that it lies in."""
        region_sides: set[str] = set()
        above = self.vocabulary.ancestors(mention.names[0])
        for outer in mentions:
            if outer is not mention and self._lies_within(mention, outer, above):
                sides: set[str] = {side for name in outer.names if (side := self.vocabulary.organs[name].side)}
                if sides and not self.vocabulary.organs[outer.names[0]].region:
                    return sides
                region_sides |= sides
        return region_sides

    def _shares_pair(self, mention: OrganMention, earlier: OrganMention) -> bool:
        """Tell whether two mentions are parts of the same paired organ, the earlier of one side of it."""
        if len(earlier.names) != 1 or self.vocabulary.organs[earlier.names[0]].side is None:
            return False
        own = {mention.names[0]} if not mention.plural else set()
        shared = (self.vocabulary.ancestors(mention.names[0]) | own) & self.vocabulary.ancestors(earlier.names[0])
        return any(self.vocabulary.sided(name) for name in shared)

    def _lies_within(self, inner: OrganMention, outer: OrganMention, above: frozenset[str]) -> bool:
        """Tell whether one organ, a part of those ``above``, lies in another or in the group of that side."""
        if self.vocabulary.organs[outer.names[0]].region:
            return lies_in_region(inner, outer, self.vocabulary)
        for name in outer.names:
            organ = self.vocabulary.organs[name]
            if name in above or (organ.side and not above.isdisjoint(organ.parents)):
                return True
        return False

    def _coordinated(self, mention: OrganMention, tokens: Sequence[Token], free_from: int) -> list[OrganMention]:
        """Return mentions that share their noun with ``mention``: "right upper" in "right upper and left lower lobes".

        Tokens before index ``free_from`` belong to the mention before. ``mention`` takes over the side that the first
        of the list states for all.
        """
        mentions: list[OrganMention] = []
        if mention.start - 2 < free_from or tokens[mention.start - 1].word not in NAME_JOINERS:
            return mentions
        noun = next((at for at in range(mention.start, mention.end) if not _qualifies(tokens[at].word)), mention.end)
        at = mention.start
        while noun < mention.end and at - 2 >= free_from and tokens[at - 1].word in _NAME_JOINERS:
            begin = end = at - 1
            while begin > free_from and _qualifies(tokens[begin - 1].word):
                begin -= 1
            if begin == end:
                break
            words = tokens[begin:end]
            if all(token.word in SIDES for token in (*words, tokens[mention.start])):
                noun = mention.start + 1  # "right and left upper lobes"
            name = self.resolve(spelled([*words, *tokens[noun : mention.end]]))
            if name is None:
                break
            shared = (noun, mention.end)
            mentions.insert(0, OrganMention(begin, end, (name,), plural=mention.plural, noun=shared))
            at = begin
        if mentions and not any(token.word in SIDES for token in tokens[mention.start : noun]):
            self._take_side(mention, mentions[-1], tokens)
        return mentions

    def _settle_parts_of_other_side(self, mentions: Sequence[OrganMention], tokens: Sequence[Token]) -> None:
        """Give a part that only one side has the organ of the other side that it is said to be in.

        "The apicoposterior segment" is one of the left lung; "of the RUL" means the right upper lobe all the same.
        """
        for part, whole in pairwise(mentions):
            if part.start + 1 > whole.start or len(part.names) != 1 or len(whole.names) != 1:
                continue
            if {self.vocabulary.organs[mention.names[0]].side for mention in (part, whole)} != {"left", "right"}:
                continue
            between = [token.word for token in tokens[part.end : whole.start]]
            is_said = any(token.word in SIDES for token in tokens[part.start : part.end])
            if not is_said and set(between) in ({"of", "the"}, {"in", "the"}, {"of"}, {"in"}):
                if self._shares_pair(part, whole):
                    part.names = whole.names

    def _add_levels(self, mentions: Sequence[OrganMention], tokens: Sequence[Token]) -> None:
        """Give two vertebrae of which one slips on the other the disc between them: "L4 on L5" is at L4-L5."""
        for upper, lower in pairwise(mentions):
            if upper.end + 1 == lower.start and tokens[upper.end].word in ("on", "over"):
                levels = [mention.names[0].removesuffix(" vertebra") for mention in (upper, lower)]
                disc = self.resolve("-".join(levels))
                if disc is not None and disc.endswith(" disc"):
                    upper.origin = lower.origin = (disc,)

    def _both_sides(self, shared: Sequence[OrganMention], mention: OrganMention) -> OrganMention | None:
        """Return the one mention that "right and left kidneys" are, as "both kidneys" are one; None for other lists."""
        if len(shared) != 1 or shared[0].end - shared[0].start != 1 or len(mention.names) != 1:
            return None
        pair = self.pair_of(mention.names[0])
        if pair is None or {*shared[0].names, *mention.names} != {*pair}:
            return None
        return OrganMention(shared[0].start, mention.end, pair, adjective=mention.adjective, plural=True)

    def _take_side(self, mention: OrganMention, before: OrganMention, tokens: Sequence[Token]) -> None:
        """Give ``mention`` the side of the one before, which is said once for both: "left 7th and 8th ribs"."""
        sides = [token for token in tokens[before.start : before.end] if token.word in SIDES]
        name = self.resolve(spelled([*sides, *tokens[mention.start : mention.end]])) if sides else None
        if name is not None:
            mention.names, mention.plural = (name,), False


def _mention(passage: Mention, starts: Sequence[int], tokens: Sequence[Token]) -> OrganMention:
    """Return the mention of a passage that the vocabulary found, by its tokens instead of its characters."""
    end = bisect_left(starts, passage.end)
    start = min(bisect_left(starts, passage.start), end - 1)  # "The'liver" is one token
    first = tokens[start].word
    bilateral = SIDES.get(first) == "both" or first in BOTH_SIDES_ADJECTIVES
    plural = bilateral or (not passage.adjective and is_plural_name([token.word for token in tokens[start:end]]))
    return OrganMention(start, end, passage.names, adjective=passage.adjective, plural=plural, bilateral=bilateral)


def _qualifies(word: str) -> bool:
    """Tell whether a word before the noun of a name says which one is meant: right, upper, 7th."""
    is_number = word.isdigit() or word in ORDINAL_ENDINGS or word in ORDINALS
    return is_number or word in PART_ADJECTIVES or word in SIDES
