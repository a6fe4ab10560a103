"""Names segments of the lungs that reports write as codes: "left S1+2", "right S6". "S1" there is no vertebra.

The sacral vertebrae and the segments of the liver are written in the same way. They have no sides, but roots, joints,
foramina and screws of the sacrum do: "the right S1 nerve root".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from prompts.vocabulary import Vocabulary

from ..mentions import OrganMention
from ..tokens import Token
from ..word_lists import SIDES

_CODE = re.compile(r"s(10|[1-9])$")
_JOINERS = frozenset("+ / - – and &".split())
_SACRAL = 5
"""The highest number of a sacral vertebra."""
_UPPER_AND_MIDDLE: dict[str, dict[tuple[int, ...], str]] = {
    "left": {
        (1, 2): "left upper lobe apicoposterior segment",
        (1,): "left upper lobe apical segment",
        (2,): "left upper lobe posterior segment",
        (3,): "left upper lobe anterior segment",
        (4,): "lingula superior segment",
        (5,): "lingula inferior segment",
    },
    "right": {
        (1,): "right upper lobe apical segment",
        (2,): "right upper lobe posterior segment",
        (3,): "right upper lobe anterior segment",
        (4,): "right middle lobe lateral segment",
        (5,): "right middle lobe medial segment",
    },
}
_LOWER: dict[tuple[int, ...], str] = {
    (6,): "superior",
    (7,): "mediobasal",
    (8,): "anterobasal",
    (9,): "laterobasal",
    (10,): "posterobasal",
}
_LAST_OF_UPPER_LOBE = {"left": 5, "right": 3}
_LAST_OF_MIDDLE_LOBE = 5
_NO_PAIR = (4, 5)
"""Numbers of segments that lie in another lobe of the left lung than of the right."""
_OF_SPINE = frozenset(
    ("vertebrae", "spine", "sacrum", "intervertebral discs", "skeleton", "nerve roots", "spinal cord")
)
_WORDS_OF_SPINE = frozenset(
    """abuts abutting ala alae articular body compressed compresses compressing compression contact contacts corpus
    descending disc disk displaces endplate exiting facet facets foramen foramina foraminal herniation iliosacral
    impinged impingement impinges laminectomy level nerve nerves neural neuroforaminal pedicle protrusion radicular
    radiculopathy recess root roots sacral sacroiliac sacrum screw screws spinal traversing vertebra vertebral
    zone""".split()
)
"""Words of a statement in which a code between S1 and S5 is one of the sacrum."""
_WITH_SEGMENTS = frozenset(("lungs", "liver"))


def name_segments(mentions: list[OrganMention], tokens: Sequence[Token], vocabulary: Vocabulary) -> list[OrganMention]:
    """Return the mentions with the segments of the lungs that codes name, without vertebrae that are none."""
    codes = [index for index, token in enumerate(tokens) if token.word[0] == "s" and _CODE.match(token.word)]
    if not codes:
        return mentions
    is_of_spine = any(token.word in _WORDS_OF_SPINE for token in tokens) or any(
        mention.names != ("S1 vertebra",) and _is_part(mention, _OF_SPINE, vocabulary) for mention in mentions
    )
    beside_segments = any(_is_part(mention, _WITH_SEGMENTS, vocabulary) for mention in mentions)
    end = 0
    for start in codes:
        if start < end:
            continue
        end, numbers = _numbers(tokens, start)
        if is_of_spine and min(numbers) <= _SACRAL:
            continue
        is_joined = end - start > 1 and tokens[start + 1].word == "+"
        side = SIDES.get(tokens[start - 1].word) if start else None
        inside = [mention for mention in mentions if mention.start < end and start - 1 < mention.end]
        names = _names(side, numbers) if side and all(m.names == ("S1 vertebra",) for m in inside) else ()
        if names or beside_segments or is_joined:
            mentions = [mention for mention in mentions if mention.names != ("S1 vertebra",) or mention not in inside]
        if names:
            segment = OrganMention(start - 1, end, names, plural=len(names) > 1)
            mentions = sorted([*mentions, segment], key=lambda mention: mention.start)
    return mentions


def _numbers(tokens: Sequence[Token], start: int) -> tuple[int, tuple[int, ...]]:
    """Return where a code ends, and the numbers of it: 1 and 2 of "S1+2", 8 and 9 of "S8 and S9"."""
    numbers, end = [int(tokens[start].word[1:])], start + 1
    while end + 1 < len(tokens) and tokens[end].word in _JOINERS:
        word = tokens[end + 1].word
        match = _CODE.match(word if word[0] == "s" else f"s{word}")
        is_tight = tokens[end].start == tokens[end - 1].end and tokens[end + 1].start == tokens[end].end
        if match is None or not (word[0] == "s" or is_tight):
            break
        first, last = numbers[-1], int(match[1])
        numbers += range(first + 1, last + 1) if tokens[end].word in "-–" and first < last else [last]
        end += 2
    return end, tuple(sorted(set(numbers)))


def _names(side: str, numbers: tuple[int, ...]) -> tuple[str, ...]:
    """Return the segment of a side that numbers name, else the lobe that they lie in, else the lung."""
    if side == "both":
        pair = (_segment("left", numbers), _segment("right", numbers))
        return pair if numbers[0] not in _NO_PAIR and all(pair) else ()
    if segment := _segment(side, numbers):
        return (segment,)
    if numbers[-1] <= _LAST_OF_UPPER_LOBE[side]:
        return (f"{side} upper lobe",)
    if numbers[0] > _LAST_OF_MIDDLE_LOBE:
        return (f"{side} lower lobe",)
    is_middle = side == "right" and _LAST_OF_UPPER_LOBE[side] < numbers[0] and numbers[-1] <= _LAST_OF_MIDDLE_LOBE
    return ("right middle lobe" if is_middle else f"{side} lung",)


def _segment(side: str, numbers: tuple[int, ...]) -> str:
    """Return the segment of a side that numbers name; "" where they name several."""
    if side == "left" and numbers == (7, 8):
        return "left lower lobe anteromediobasal segment"
    lower = f"{side} lower lobe {_LOWER[numbers]} segment" if numbers in _LOWER else ""
    return _UPPER_AND_MIDDLE[side].get(numbers, lower)


def _is_part(mention: OrganMention, wholes: frozenset[str], vocabulary: Vocabulary) -> bool:
    return any(not wholes.isdisjoint((name, *vocabulary.ancestors(name))) for name in mention.names)
