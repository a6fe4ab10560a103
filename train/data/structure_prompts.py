"""The prompts of each structure: those that training uses, and those that are held out for evaluation.

A structure is a label of a data set (`kidney_left`). Its prompts come from the anatomy vocabulary: the organ's name
first, then its synonyms; and the label in words, as users of that data set would type it. Several structures together
have the names of their group ("kidneys", "lungs").
By a hold-out (`train.config.prompting.HoldOut`) a share of the synonyms and of the groups is held out: no training sees
them, so that evaluation shows how a model deals with words that it has never seen. This is the only place that decides
which (with `held_out_words`): training, the text encoder's training and evaluation ask here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from pydantic import JsonValue

from prompts.vocabulary import Organ, Vocabulary, load_vocabulary
from prompts.words import label_in_words
from train.config.prompting import ALL_GROUPS_HELD_OUT, HoldOut

from .held_out_words import select_held_out, select_held_out_groups, sideless_words

# Further synonyms in a vocabulary are only spellings of each other ("first lumbar vertebral corpus").
MOST_SYNONYMS = 9
# TotalSegmentator labels only some parts of these, so that its labels together are not the whole.
INCOMPLETE = frozenset({"arteries", "mediastinum", "muscles", "retroperitoneum", "skeleton", "veins", "vessels"})
# Bones, vessels, muscles and lobes are no "organs": no "... organ" is a synonym of what lies in one of these.
NOT_CALLED_ORGANS = frozenset(
    {"skeleton", "vessels", "muscles", "left lung", "right lung", "upper lobes", "lower lobes"}
)
# A system ("urinary system") or a region is more than the structures that a data set labels of it.
MORE_THAN_STRUCTURES = frozenset({"system", "tract", "abdomen", "chest", "pelvis", "space", "extremities"})


@dataclass(frozen=True)
class StructureGroup:
    """Several structures under one name, such as `kidneys`; `members` are labels of the data set."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class StructurePrompts:
    """The prompts of each structure, by use: label -> prompt or prompts.

    `names` has the organ's name in the vocabulary, which is also the first prompt in `trained`. `group_prompts` has the
    names of each group. No prompt in `held_out` or `held_out_of_groups` is used in training.
    """

    names: Mapping[str, str]
    trained: Mapping[str, tuple[str, ...]]
    held_out: Mapping[str, tuple[str, ...]]
    groups: tuple[StructureGroup, ...]
    group_prompts: Mapping[str, tuple[str, ...]]
    held_out_of_groups: Mapping[str, tuple[str, ...]]

    @cached_property
    def trained_of_groups(self) -> dict[str, tuple[str, ...]]:
        """Return the names of each group that training uses; groups that are held out whole are not in it."""
        trained = {
            group: tuple(prompt for prompt in prompts if prompt not in self.held_out_of_groups.get(group, ()))
            for group, prompts in self.group_prompts.items()
        }
        return {group: prompts for group, prompts in trained.items() if prompts}

    @property
    def trained_prompts(self) -> frozenset[str]:
        """Return every prompt that training uses."""
        kinds = (self.trained, self.trained_of_groups)
        return frozenset(prompt for kind in kinds for prompts in kind.values() for prompt in prompts)

    @property
    def held_out_groups(self) -> tuple[StructureGroup, ...]:
        """Return the groups of which training uses no name."""
        return tuple(group for group in self.groups if group.name not in self.trained_of_groups)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the object that a checkpoint records."""
        return {
            "names": dict(self.names),
            "trained": {name: list(prompts) for name, prompts in self.trained.items()},
            "held_out": {name: list(prompts) for name, prompts in self.held_out.items()},
            "groups": {group.name: list(group.members) for group in self.groups},
            "group_prompts": {name: list(prompts) for name, prompts in self.group_prompts.items()},
            "held_out_of_groups": {name: list(prompts) for name, prompts in self.held_out_of_groups.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, JsonValue]) -> Self:
        """Return the prompts that `to_json` was called on. Raises `ValueError` for another object.

        Records from before groups were trained do not have `held_out_of_groups`: there all names of groups were.
        """
        names, trained, held_out, groups, group_prompts = (
            record.get(part) for part in ("names", "trained", "held_out", "groups", "group_prompts")
        )
        if not isinstance(names, dict):
            raise ValueError("the checkpoint's record of prompts has no names")
        return cls(
            {name: str(prompt) for name, prompt in names.items()},
            _parse_lists(trained),
            _parse_lists(held_out),
            tuple(StructureGroup(name, members) for name, members in _parse_lists(groups).items()),
            _parse_lists(group_prompts),
            _parse_lists(record.get("held_out_of_groups", group_prompts)),
        )

    @classmethod
    def from_training_record(cls, trained_on: Sequence[Mapping[str, JsonValue]]) -> Self | None:
        """Return the prompts of a checkpoint's last training; None where its record does not contain them."""
        record = trained_on[-1].get("prompts") if trained_on else None
        try:
            return cls.from_json(record) if isinstance(record, Mapping) else None
        except ValueError:
            return None


def _parse_lists(record: JsonValue) -> dict[str, tuple[str, ...]]:
    if not isinstance(record, dict):
        raise ValueError("the checkpoint's record of prompts is incomplete")
    return {name: tuple(str(value) for value in values) for name, values in record.items() if isinstance(values, list)}


def build_structure_prompts(
    structures: Sequence[str], vocabulary: Vocabulary | None = None, hold_out: HoldOut = ALL_GROUPS_HELD_OUT
) -> StructurePrompts:
    """Return the prompts of a data set's structures, and of every group whose parts they all contain.

    Held out are the synonyms and groups of `hold_out`, and names of other groups that would give these away: the same
    words without side or plural, by which no structure is trained. A structure that is not in the vocabulary is
    prompted by its label in words, and has no synonyms.
    """
    vocabulary = vocabulary or load_vocabulary()
    organs = {structure: vocabulary.resolve(structure) for structure in structures}
    groups = _find_groups({name: organ for name, organ in organs.items() if organ}, vocabulary)
    names, trained, held_out = {}, {}, {}
    for structure, organ in organs.items():
        label = label_in_words(structure)
        names[structure] = organ or label
        synonyms = synonyms_of(organ, vocabulary) if organ else []
        held_out_terms = select_held_out(synonyms, hold_out.third) if hold_out.folds else set()
        # "hip left" is a bone to TotalSegmentator, and a joint to others.
        label_terms = [] if vocabulary.resolve(label) not in (organ, None) else [label]
        terms = [term for term in (names[structure], *synonyms, *label_terms) if term not in held_out_terms]
        trained[structure] = tuple(dict.fromkeys(terms))
        held_out[structure] = tuple(term for term in synonyms if term in held_out_terms)
    group_prompts = {group.name: (group.name, *synonyms_of(group.name, vocabulary)) for group in groups}
    held_out_groups = select_held_out_groups(tuple(group_prompts), hold_out)
    away = {sideless_words(prompt) for prompts in held_out.values() for prompt in prompts}
    away -= {sideless_words(prompt) for prompts in trained.values() for prompt in prompts}
    away |= {sideless_words(prompt) for group in held_out_groups for prompt in group_prompts[group]}
    held_out_of_groups = {
        group: tuple(prompt for prompt in prompts if group in held_out_groups or sideless_words(prompt) in away)
        for group, prompts in group_prompts.items()
    }
    return StructurePrompts(names, trained, held_out, groups, group_prompts, held_out_of_groups)


def synonyms_of(name: str, vocabulary: Vocabulary) -> list[str]:
    """Return other names for the whole organ, and what radiologists make of its adjective ("left renal organ")."""
    organ = vocabulary.organs[name]
    nouns = organ.terms[1:]
    adjectives = [
        f"{adjective} organ" for adjective in organ.adjectives[:1] if _means_organ(adjective, name, vocabulary)
    ]
    return list(dict.fromkeys([*nouns[: MOST_SYNONYMS - len(adjectives)], *adjectives]))


def _means_organ(adjective: str, name: str, vocabulary: Vocabulary) -> bool:
    """Whether "<adjective> organ" means the organ; `intra-`, `peri-` and joined adjectives mean something else."""
    if NOT_CALLED_ORGANS & ({name} | vocabulary.ancestors(name)):
        return False
    if vocabulary.relation_of(f"{adjective} organ") is not None:
        return False
    return not adjective.startswith(("intra", "peri")) and "cortical" not in adjective


def _find_groups(organs: Mapping[str, str], vocabulary: Vocabulary) -> tuple[StructureGroup, ...]:
    """Return the groups of which every part that TotalSegmentator labels is among `organs`: structure -> organ.

    So "spine" is a group where all vertebrae are labelled, not where three are. Of groups with the same members only
    that with the fewest parts in the vocabulary is returned.
    """
    structure_of = {organ: structure for structure, organ in organs.items()}
    names: dict[tuple[str, ...], str] = {}
    for name, organ in vocabulary.organs.items():
        if organ.region or name in structure_of or name in INCOMPLETE or not _is_sum_of_structures(organ):
            continue
        below = vocabulary.descendants(name)
        parts = {part for part in below if vocabulary.organs[part].totalsegmentator and not _is_lesion(part)}
        members = tuple(structure for structure, part in organs.items() if part in below)
        if len(members) < 2 or not parts <= structure_of.keys():
            continue
        other = names.get(members)
        if other is None or len(below) < len(vocabulary.descendants(other)):
            names[members] = name
    return tuple(StructureGroup(name, members) for members, name in names.items())


def _is_sum_of_structures(organ: Organ) -> bool:
    return not MORE_THAN_STRUCTURES & set(_words(organ.name))


def _is_lesion(name: str) -> bool:
    return "cyst" in _words(name)


def _words(term: str) -> list[str]:
    return re.findall(r"[a-z]+", term.lower())
