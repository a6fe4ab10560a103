"""What one training step asks: prompts for single structures, and made-up prompts for several at once.

"left kidney", a synonym of it, and now and then the mean of the embeddings of a few structures' prompts, whose mask is
the union of theirs: so the connector learns that what lies between prompts means all of them, which is how a text
encoder places "kidneys". The groups that evaluation holds out are never made up: a made-up prompt never names all
members of one, alone or among others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from train.data.structure_prompts import PromptBook
from train.order import random

# How many structures a made-up prompt names, at most.
MOST_MERGED = 5
# Length of the noise that an embedding of length 1 gets, at most: about the distance of two names of one thing.
NOISE = 0.6


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
    def _wholes(self) -> tuple[frozenset[str], ...]:
        """What must not come together: the members of each held-out group."""
        return tuple(frozenset(group.members) for group in self.book.groups)

    @cached_property
    def _families(self) -> tuple[tuple[str, ...], ...]:
        """Groups of which some members may meet without all of them doing so."""
        return tuple(group.members for group in self.book.groups if len(group.members) > 2)

    def of(self, step: int) -> Asked:
        """The prompts of a step: the same for all of its samples, and on every process."""
        generator = random((self.seed, 3, step))
        names = list(self.book.names)
        singles = list(generator.permutation(len(names)))[: self.count]
        wanted: list[tuple[str, ...]] = [(names[index],) for index in singles]
        for place in range(round(self.merged * len(wanted))):
            wanted[-1 - place] = self._several(names, generator)
        vectors = [torch.stack([self._embedding(name, generator) for name in each]).mean(dim=0) for each in wanted]
        embeddings = functional.normalize(torch.stack(vectors), dim=-1)
        noise = torch.from_numpy(generator.standard_normal(embeddings.shape, np.float32))
        length = torch.from_numpy(generator.uniform(0, NOISE, (len(wanted), 1)).astype(np.float32))
        embeddings = functional.normalize(embeddings + length * functional.normalize(noise, dim=-1), dim=-1)
        return Asked(embeddings, tuple(wanted))

    def _several(self, names: Sequence[str], generator: np.random.Generator) -> tuple[str, ...]:
        """Two to five structures, half the time of one family as far as it goes, that complete no held-out group."""
        size = int(generator.integers(2, MOST_MERGED + 1))
        order = [names[place] for place in generator.permutation(len(names))]
        if self._families and generator.random() < 0.5:
            family = self._families[int(generator.integers(len(self._families)))]
            order = [*(name for name in order if name in family), *(name for name in order if name not in family)]
        chosen: set[str] = set()
        for name in order:
            together = chosen | {name}
            if not any(whole <= together for whole in self._wholes):
                chosen = together
            if len(chosen) == size:
                break
        return tuple(name for name in order if name in chosen)

    def _embedding(self, name: str, generator: np.random.Generator) -> Tensor:
        """The name half the time, else one of its other prompts."""
        prompts = self.book.trained[name]
        other = len(prompts) > 1 and generator.random() < 0.5
        return self.embeddings[prompts[int(generator.integers(1, len(prompts))) if other else 0]]
