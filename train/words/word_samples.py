"""Samples of the words: an organ with its kin, each with some of its terms, and a group with some of its members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from train.order import random

from .word_lists import WordLists

# Organs of a sample: one, its other side, and two of its kin. Terms of each: its name and two more.
ORGANS, TERMS = 4, 3
# Members of a group in a sample.
MEMBERS = 4
# Share of the samples around an organ that data sets label; the others are around any organ.
PROMPTED = 0.4


class WordSample(NamedTuple):
    """Up to `ORGANS` organs with up to `TERMS` terms of each; a group by one of its terms, and names of its members."""

    organs: tuple[tuple[str, tuple[str, ...]], ...]
    group: str
    group_term: str
    members: tuple[str, ...]


class WordBatch(NamedTuple):
    """B samples. `texts` are the N texts to encode, each once; all else are indices, −1 where there is nothing.

    `terms` (B, ORGANS · TERMS) and `owners`, the organ of each term; `group_terms` (B,), `groups` (B,), the organ that
    is the group, and `members` (B, MEMBERS), texts. Organs are numbered as in `WordLists.terms`.
    """

    texts: list[str]
    terms: Tensor
    owners: Tensor
    group_terms: Tensor
    groups: Tensor
    members: Tensor


class WordSamples(Dataset[WordSample]):
    """The samples of a run by number."""

    def __init__(self, words: WordLists, seed: int) -> None:
        # Without the vocabulary, which processes that draw samples have no use for.
        self.terms, self.groups, self.prompted = dict(words.terms), dict(words.groups), words.prompted
        self.kin, self.other_side, self.seed = words.kin, words.other_side, seed
        self.organs = tuple(words.terms)
        self.numbers = {name: number for number, name in enumerate(self.organs)}
        self.group_names = tuple(words.groups)

    def __getitem__(self, number: int) -> WordSample:
        draw = random((self.seed, 8, number))
        pool = self.prompted if self.prompted and draw.random() < PROMPTED else self.organs
        organ = pool[draw.integers(len(pool))]
        chosen = [organ, *([self.other_side[organ]] if organ in self.other_side else [])]
        kin = [name for name in self.kin[organ] if name not in chosen]
        chosen += [kin[index] for index in draw.permutation(len(kin))[: ORGANS // 2]]
        organs = tuple((name, self._terms(name, draw)) for name in chosen)
        if not self.group_names:
            return WordSample(organs, "", "", ())
        group = self.group_names[draw.integers(len(self.group_names))]
        members = self.groups[group]
        drawn = tuple(members[index] for index in draw.permutation(len(members))[:MEMBERS])
        terms = self.terms[group]
        return WordSample(organs, group, terms[draw.integers(len(terms))], drawn)

    def _terms(self, name: str, draw: np.random.Generator) -> tuple[str, ...]:
        first, *others = self.terms[name]
        return (first, *(others[index] for index in draw.permutation(len(others))[: TERMS - 1]))

    def collate(self, samples: Sequence[WordSample]) -> WordBatch:
        """Join samples; a text that is in several of them is encoded once."""
        texts: dict[str, int] = {}
        terms, owners = (torch.full((len(samples), ORGANS * TERMS), -1) for _ in range(2))
        group_terms, groups = (torch.full((len(samples),), -1) for _ in range(2))
        members = torch.full((len(samples), MEMBERS), -1)
        for row, sample in enumerate(samples):
            listed = [(name, term) for name, of_organ in sample.organs for term in of_organ]
            for column, (name, term) in enumerate(listed):
                terms[row, column] = texts.setdefault(term, len(texts))
                owners[row, column] = self.numbers[name]
            if sample.group:
                group_terms[row] = texts.setdefault(sample.group_term, len(texts))
                groups[row] = self.numbers[sample.group]
                for column, member in enumerate(sample.members):
                    members[row, column] = texts.setdefault(member, len(texts))
        return WordBatch(list(texts), terms, owners, group_terms, groups, members)
