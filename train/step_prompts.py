"""What one training step asks: prompts for single structures, and made-up prompts for several at once.

"left kidney", a synonym of it, and now and then the mean of the embeddings of a few structures' prompts, whose mask is
the union of theirs: so the connector learns that what lies between prompts means all of them, which is how a text
encoder places "kidneys". The groups that evaluation holds out are never made up: no two members of one group meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .order import random
from .structure_prompts import PromptBook

# How many structures a made-up prompt names, at most.
MOST_MERGED = 5
# Length of the noise that an embedding of length 1 gets, at most: about the distance of two spellings of one name.
NOISE = 0.3


class Asked(NamedTuple):
    """P prompts of a step: `embeddings` (P, E) of length 1, and the structures that each of them means."""

    embeddings: Tensor
    structures: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class StepPrompts:
    """Draws them; `embeddings` has (E,) for each prompt of the book."""

    book: PromptBook
    embeddings: Mapping[str, Tensor]
    count: int
    merged: float
    seed: int

    @cached_property
    def _apart(self) -> frozenset[frozenset[str]]:
        """Pairs of structures that a held-out group has both of."""
        groups = self.book.groups
        return frozenset(frozenset(pair) for group in groups for pair in combinations(group.members, 2))

    def of(self, step: int) -> Asked:
        """The prompts of a step: the same for all of its samples, and on every process."""
        generator = random((self.seed, 3, step))
        names = list(self.book.names)
        singles = list(generator.permutation(len(names)))[: self.count]
        wanted = [(names[index],) for index in singles]
        for place in range(round(self.merged * len(wanted))):
            wanted[-1 - place] = self._several(names, generator)
        vectors = [torch.stack([self._embedding(name, generator) for name in each]).mean(dim=0) for each in wanted]
        embeddings = functional.normalize(torch.stack(vectors), dim=-1)
        noise = torch.from_numpy(generator.standard_normal(embeddings.shape, np.float32))
        length = torch.from_numpy(generator.uniform(0, NOISE, (len(wanted), 1)).astype(np.float32))
        embeddings = functional.normalize(embeddings + length * functional.normalize(noise, dim=-1), dim=-1)
        return Asked(embeddings, tuple(wanted))

    def _several(self, names: Sequence[str], generator: np.random.Generator) -> tuple[str, ...]:
        """Two to five structures of which no two are in one group."""
        chosen: list[str] = []
        size = int(generator.integers(2, MOST_MERGED + 1))
        for index in generator.permutation(len(names)):
            if all(frozenset((names[index], other)) not in self._apart for other in chosen):
                chosen.append(names[index])
            if len(chosen) == size:
                break
        return tuple(chosen)

    def _embedding(self, name: str, generator: np.random.Generator) -> Tensor:
        """The name half the time, else one of its other prompts."""
        prompts = self.book.trained[name]
        other = len(prompts) > 1 and generator.random() < 0.5
        return self.embeddings[prompts[int(generator.integers(1, len(prompts))) if other else 0]]
