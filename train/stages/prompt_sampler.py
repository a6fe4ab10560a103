"""Draws the prompts of a training step: prompts for single structures, and made-up prompts for several at once.

A prompt is "left kidney" or a synonym of it, and now and then the mean of the embeddings of a few structures' prompts,
whose mask is the union of theirs: so the connector learns that what lies between prompts means all of them, which is
how a text encoder places "kidneys". The groups that evaluation holds out are never made up: a made-up prompt never
names all members of one, alone or among others.
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

from train.data.structure_prompts import StructurePrompts
from train.order import random

# How many structures a made-up prompt names, at most.
MOST_MERGED = 5
# Length of the noise that an embedding of length 1 gets, at most: about the distance of two names of one thing.
NOISE = 0.6


class StepPrompts(NamedTuple):
    """P prompts of a step: `embeddings` (P, E) of length 1, and the structures that each of them means."""

    embeddings: Tensor
    structures: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PromptSampler:
    """Draws `count` prompts for each step, a share of them `merged`; `embeddings` has (E,) for each prompt.

    The same seed and step give the same prompts, on every process and in any order of the steps.
    """

    structure_prompts: StructurePrompts
    embeddings: Mapping[str, Tensor]
    count: int
    merged: float
    seed: int

    @cached_property
    def _held_out_groups(self) -> tuple[frozenset[str], ...]:
        """Return the members of each held-out group: these must not come together."""
        return tuple(frozenset(group.members) for group in self.structure_prompts.groups)

    @cached_property
    def _families(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups of which some members may meet without all of them doing so."""
        return tuple(group.members for group in self.structure_prompts.groups if len(group.members) > 2)

    def draw(self, step: int) -> StepPrompts:
        """Return the prompts of a step, which are those of all its samples."""
        generator = random((self.seed, 3, step))
        names = list(self.structure_prompts.names)
        singles = list(generator.permutation(len(names)))[: self.count]
        targets: list[tuple[str, ...]] = [(names[index],) for index in singles]
        for place in range(round(self.merged * len(targets))):
            targets[-1 - place] = self._draw_several(names, generator)
        vectors = [
            torch.stack([self._draw_embedding(name, generator) for name in structures]).mean(dim=0)
            for structures in targets
        ]
        embeddings = functional.normalize(torch.stack(vectors), dim=-1)
        noise = torch.from_numpy(generator.standard_normal(embeddings.shape, np.float32))
        length = torch.from_numpy(generator.uniform(0, NOISE, (len(targets), 1)).astype(np.float32))
        embeddings = functional.normalize(embeddings + length * functional.normalize(noise, dim=-1), dim=-1)
        return StepPrompts(embeddings, tuple(targets))

    def _draw_several(self, names: Sequence[str], generator: np.random.Generator) -> tuple[str, ...]:
        """Return two to five structures, half the time of one family as far as it goes; they complete no group."""
        size = int(generator.integers(2, MOST_MERGED + 1))
        order = [names[index] for index in generator.permutation(len(names))]
        if self._families and generator.random() < 0.5:
            family = self._families[int(generator.integers(len(self._families)))]
            order = [*(name for name in order if name in family), *(name for name in order if name not in family)]
        chosen: set[str] = set()
        for name in order:
            together = chosen | {name}
            if not any(group <= together for group in self._held_out_groups):
                chosen = together
            if len(chosen) == size:
                break
        return tuple(name for name in order if name in chosen)

    def _draw_embedding(self, name: str, generator: np.random.Generator) -> Tensor:
        """Return the embedding of a structure's name half the time, else of one of its other prompts."""
        prompts = self.structure_prompts.trained[name]
        by_synonym = len(prompts) > 1 and generator.random() < 0.5
        return self.embeddings[prompts[int(generator.integers(1, len(prompts))) if by_synonym else 0]]
