"""Which words of the anatomy vocabulary the text encoder learns, and which are held out to measure it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from prompts.vocabulary import Vocabulary
from train.config.prompting import ALL_GROUPS_HELD_OUT
from train.data.held_out_words import select_held_out, sideless_words, singular_words
from train.data.layout_totalsegmentator import V1_STRUCTURES, V2_STRUCTURES
from train.data.structure_prompts import MOST_SYNONYMS, StructurePrompts, build_structure_prompts, synonyms_of

from .latin_names import latin_names

HoldOut = Literal["all", "none"]
# Groups of more structures than these are systems ("skeleton"), of which no prompt asks for the mean.
MOST_MEMBERS = 30


@dataclass(frozen=True)
class WordLists:
    """The words to learn: `terms` of each organ, its name first; `groups` -> the organs that they consist of.

    `prompted` are the organs that TotalSegmentator labels; `held_out` is the number of terms left out; `scored` has
    the prompts of TotalSegmentator's classes, whose held-out words measure a run.
    """

    vocabulary: Vocabulary
    terms: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]
    prompted: tuple[str, ...]
    held_out: int
    scored: StructurePrompts

    @cached_property
    def kin(self) -> Mapping[str, tuple[str, ...]]:
        """The organs that share a parent with each: siblings, other levels, neighbours of one region."""
        organs, children = self.vocabulary.organs, dict[str, list[str]]()
        for name in self.terms:
            for parent in organs[name].parents:
                children.setdefault(parent, []).append(name)
        return {
            name: tuple(
                dict.fromkeys(other for parent in organs[name].parents for other in children[parent] if other != name)
            )
            for name in self.terms
        }

    @cached_property
    def other_side(self) -> Mapping[str, str]:
        """The organ of the other side, for each that has one."""
        pairs = [organ.sides for organ in self.vocabulary.organs.values() if organ.sides]
        both = {name: other for left, right in pairs for name, other in ((left, right), (right, left))}
        return {name: other for name, other in both.items() if name in self.terms and other in self.terms}

    def digest(self) -> str:
        """Return the SHA-256 (hex) of all that is learned: a run does not go on with other words."""
        learned = json.dumps([self.terms, self.groups], sort_keys=True)
        return hashlib.sha256(learned.encode()).hexdigest()


def scored_prompts(vocabulary: Vocabulary, third: int = 1) -> tuple[StructurePrompts, ...]:
    """Return the prompts of TotalSegmentator's classes, version 2 first, of which the held-out ones measure a run."""
    away = replace(ALL_GROUPS_HELD_OUT, third=third)
    return tuple(build_structure_prompts(structures, vocabulary, away) for structures in (V2_STRUCTURES, V1_STRUCTURES))


def choose_words(vocabulary: Vocabulary, hold_out: HoldOut, third: int = 1) -> WordLists:
    """Return the words to learn.

    With `hold_out` "all" nothing is learned that stage 3 holds out of a data set: a third of the synonyms of each
    organ, and all names of the groups of TotalSegmentator's classes; nor the same words with another side, or as a
    plural. Of Latin names it learns those of organs that TotalSegmentator does not label, if no held-out synonym of the
    same organ shares a word with it: those that it labels tell how much Latin was learned by that.
    """
    prompts = scored_prompts(vocabulary, third)
    trained: dict[str, list[str]] = {}
    for book in prompts:
        for structure, name in book.names.items():
            trained.setdefault(name, []).extend(book.trained[structure])
    synonyms = {name: _synonyms(name, vocabulary) for name in vocabulary.organs}
    away = _held_out(prompts, synonyms, third) if hold_out == "all" else _HeldOut()
    for name, latin in latin_names(vocabulary).items():
        labelled = name in trained or vocabulary.organs[name].totalsegmentator
        if hold_out == "none" or not (labelled or _shares_a_word(latin, filter(away.has, synonyms[name]))):
            synonyms[name].append(latin)
    terms = {
        name: tuple(dict.fromkeys((name, *trained.get(name, ()), *(term for term in others if not away.has(term)))))
        for name, others in synonyms.items()
        if name not in away.groups
    }
    prompted = {name for name in terms if name in trained or vocabulary.organs[name].totalsegmentator}
    groups = {
        name: members for name in terms if name not in prompted and (members := _members(name, terms, vocabulary))
    }
    count = sum(term not in terms.get(name, ()) for name, others in synonyms.items() for term in (name, *others))
    return WordLists(vocabulary, terms, groups, tuple(sorted(prompted)), count, prompts[0])


def _shares_a_word(term: str, others: Iterable[str]) -> bool:
    return any({*term.split()} & {*other.split()} for other in others)


@dataclass(frozen=True)
class _HeldOut:
    """Words that are not learned: groups, the words of their terms, and the sideless words of synonyms."""

    groups: frozenset[str] = frozenset()
    group_terms: frozenset[str] = frozenset()
    synonyms: frozenset[str] = frozenset()

    def has(self, term: str) -> bool:
        return sideless_words(term) in self.synonyms or singular_words(term) in self.group_terms


def _held_out(prompts: Iterable[StructurePrompts], synonyms: Mapping[str, Sequence[str]], third: int) -> _HeldOut:
    names, group_terms, others = set[str](), set[str](), set[str]()
    for of_organ in synonyms.values():
        others |= {sideless_words(term) for term in select_held_out(of_organ, third)}
    for book in prompts:
        others |= {sideless_words(prompt) for held_out in book.held_out.values() for prompt in held_out}
        names |= {group.name for group in book.groups}
        group_terms |= {singular_words(prompt) for group in book.group_prompts.values() for prompt in group}
    return _HeldOut(frozenset(names), frozenset(group_terms), frozenset(others))


def _synonyms(name: str, vocabulary: Vocabulary) -> list[str]:
    """Return an organ's synonyms, without those that name several organs."""
    organ = vocabulary.organs[name]
    synonyms = organ.terms[1 : MOST_SYNONYMS + 1] if organ.region else synonyms_of(name, vocabulary)
    return [term for term in synonyms if len(vocabulary.names_of(term) or ()) <= 1]


def _members(name: str, terms: Mapping[str, tuple[str, ...]], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the organs that a group consists of, those without parts of their own; none where it is no group."""
    if vocabulary.organs[name].region:
        return ()
    below = [part for part in vocabulary.descendants(name) if part in terms]
    leaves = [part for part in below if not vocabulary.descendants(part) & terms.keys()]
    return tuple(sorted(leaves)) if 2 <= len(leaves) <= MOST_MEMBERS else ()
