"""Which organs a prompt names by the anatomy vocabulary, and whether it names them whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from prompts.vocabulary import Vocabulary
from train.data.volume_names import is_volume, volume_stem

SIDES = frozenset({"left", "right"})
BOTH = frozenset({"both", "bilateral", "bilaterally"})
# What may stand beside a word for both sides: "on both sides", "both of the".
BESIDE_BOTH = frozenset({"of", "on", "side", "sides", "the"})


class NamedOrgans(NamedTuple):
    """The organs that a prompt names, several of "thoracolumbar spine", none where the vocabulary knows no such name.

    `is_part`: it names a part of the organ that the vocabulary has no entry for ("fundus of the gallbladder"), or
    something around it.
    """

    organs: tuple[str, ...]
    is_part: bool = False


def organs_named(text: str, vocabulary: Vocabulary) -> NamedOrgans:
    """Return the organs that a prompt names, by name, synonym, adjective ("renal organs") or TotalSegmentator class.

    The words of a name may stand in any order ("vertebra L1"), both sides be asked for ("left and right kidney"), and a
    mask's file stand for its name ("kidney_left.nii.gz").
    """
    text = name_in_file(text)
    several = vocabulary.names_of(text) or ()
    if len(several) > 1:
        return NamedOrgans(several)
    name = vocabulary.resolve(text) or _by_adjective(text, vocabulary) or vocabulary.resolve_in_any_order(text)
    if name is None:
        return _both_sides(text, vocabulary)
    return NamedOrgans((name,), vocabulary.relation_of(text) is not None)


def name_in_file(text: str) -> str:
    """Return the name in the name of a volume's file, such as TotalSegmentator's masks have; other texts unchanged."""
    return volume_stem(text) if is_volume(text.strip()) else text


def without_sides(words: Sequence[str]) -> list[str]:
    """Return words without those for sides, and without what joins these ("left and right kidney": kidney)."""
    both = not BOTH.isdisjoint(words)
    kept = []
    for number, word in enumerate(words):
        joins = word == "and" and {*words[number - 1 : number], *words[number + 1 : number + 2]} <= SIDES
        if word not in SIDES | BOTH and not joins and not (both and word in BESIDE_BOTH):
            kept.append(word)
    return kept


def _both_sides(text: str, vocabulary: Vocabulary) -> NamedOrgans:
    """Return the group of a left and a right organ, or the two, where a prompt asks for both sides of one."""
    words = vocabulary.words_of(text)
    if BOTH.isdisjoint(words) and not set(words) >= SIDES:
        return NamedOrgans(())
    halves = re.split(r"\s*(?:[+,;&/]|\band\b)\s*", text, flags=re.IGNORECASE)
    if len(halves) == 2 and BOTH.isdisjoint(words):
        pair = tuple(vocabulary.resolve(half) or vocabulary.resolve_in_any_order(half) for half in halves)
        group = next(
            (organ for organ in vocabulary.organs.values() if organ.sides and set(organ.sides) == {*pair}), None
        )
        if group:
            return NamedOrgans((group.name,), any(vocabulary.relation_of(half) for half in halves))
    if max(words.count(side) for side in SIDES) > 1:
        return NamedOrgans(())
    rest = " ".join(without_sides(words))
    group_name = vocabulary.resolve(rest) or vocabulary.resolve_in_any_order(rest)
    if group_name is None:
        sided = [vocabulary.resolve_in_any_order(f"{side} {rest}") for side in sorted(SIDES)]
        organs = tuple(name for name in sided if name)
        return NamedOrgans(organs if len({*organs}) == len(SIDES) else ())
    organ = vocabulary.organs[group_name]
    one_side = not SIDES.isdisjoint(words) and not set(words) >= SIDES
    return (
        NamedOrgans((group_name,), vocabulary.relation_of(rest) is not None)
        if organ.sides and not one_side
        else NamedOrgans(())
    )


def _by_adjective(text: str, vocabulary: Vocabulary) -> str | None:
    """Return the organ of "<adjective> organ"."""
    words = re.fullmatch(r"\s*(.+?)\s+organs?\s*", text, re.IGNORECASE)
    name = vocabulary.resolve(words[1]) if words else None
    if words is None or name is None:
        return None
    adjective = " ".join(words[1].lower().split())
    organ = vocabulary.organs[name]
    means_organ = not organ.region and not adjective.startswith(("intra", "peri"))
    return name if means_organ and adjective in {known.lower() for known in organ.adjectives} else None
