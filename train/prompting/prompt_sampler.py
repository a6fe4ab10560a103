"""Draws the prompts of a training step, by what its patches show.

Names and synonyms of structures: first those that the patches show, then some that they do not show but that lie next
to one that they do. Names of groups ("kidneys"). Made-up prompts: the mean of the embeddings of a few structures'
prompts, whose mask is the union of theirs, so that the connector learns that what lies between prompts means all of
them, which is how a text encoder places a group that it knows. Words that mean nothing in a body. And, where presence
alone is learned, words for what no data set labels, where that is known to be absent: a loss that keeps their masks
empty would empty the masks of unseen words too. Which share each has is `train.config.prompting.Prompting`.

Held-out prompts are never drawn, and no made-up prompt names all members of a held-out group, alone or among others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from train.config.prompting import Prompting
from train.data.structure_prompts import StructureGroup, StructurePrompts
from train.order import random

from .absent_words import AbsentWord
from .nonsense_words import TRAINED_NONSENSE
from .patch_content import PatchContent

# How many structures a made-up prompt names, at most.
MOST_MERGED = 5
# Length of the noise that an embedding of length 1 gets, at most: about the distance of two names of one thing.
NOISE = 0.6
# Share of the groups of a step that are drawn from those of which it shows a member.
SHOWN_GROUPS = 0.75


class Asked(NamedTuple):
    """One prompt of a step: the structures that it means, none for a `word` that names none of the data set's.

    Its embedding is the mean of those of `texts`.
    """

    texts: tuple[str, ...]
    structures: tuple[str, ...] = ()
    word: AbsentWord | None = None


class StepPrompts(NamedTuple):
    """P prompts of a step: `embeddings` (P, E) of length 1, the structures that each of them means, and `words`.

    A prompt of a word, None for all others, means no structure: its mask is empty where the word says so.
    """

    embeddings: Tensor
    structures: tuple[tuple[str, ...], ...]
    words: tuple[AbsentWord | None, ...]

    def known_in(self, content: PatchContent) -> list[bool]:
        """Return for each prompt whether the mask in a patch is known: all its structures were looked for."""
        return [
            word.is_known_absent(content.shown) if word else content.looked_for.issuperset(members)
            for members, word in zip(self.structures, self.words, strict=True)
        ]


@dataclass(frozen=True)
class PromptSampler:
    """Draws the prompts of each step; `embeddings` has (E,) for each prompt that may be asked.

    `near` are the structures next to each. The same seed, step and content give the same prompts, on every process and
    in any order of the steps.
    """

    structure_prompts: StructurePrompts
    embeddings: Mapping[str, Tensor]
    options: Prompting
    seed: int
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent_words: Sequence[AbsentWord] = ()

    @cached_property
    def _held_out_groups(self) -> tuple[frozenset[str], ...]:
        """Return the members of each held-out group: these must not come together."""
        return tuple(frozenset(group.members) for group in self.structure_prompts.held_out_groups)

    @cached_property
    def _families(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups of which some members may meet without all of them doing so."""
        return tuple(group.members for group in self.structure_prompts.groups if len(group.members) > 2)

    @cached_property
    def _trained_groups(self) -> tuple[StructureGroup, ...]:
        trained = self.structure_prompts.trained_of_groups
        return tuple(group for group in self.structure_prompts.groups if group.name in trained)

    def draw(self, step: int, content: PatchContent | None = None, *, presence: bool = False) -> StepPrompts:
        """Return the prompts of a step, which are those of all its samples: `content` is what these show together.

        Without `content` every structure counts as shown. Where `presence` alone is learned, words for what is absent
        are among them.
        """
        generator = random((self.seed, 3, step))
        everything = frozenset(self.structure_prompts.names)
        content = content if content and content.looked_for & everything else PatchContent(everything, everything)
        others = [
            *(self._draw_absent(content, generator) if presence else ()),
            *self._draw_nonsense(generator),
            *self._draw_groups(content, generator),
            *(self._draw_several(content, generator) for _ in range(self._count("merged"))),
        ]
        singles = self._draw_singles(content, self.options.prompts_per_step - len(others), generator)
        asked = [*singles, *others]
        vectors = [torch.stack([self.embeddings[text] for text in prompt.texts]).mean(dim=0) for prompt in asked]
        embeddings = functional.normalize(torch.stack(vectors), dim=-1)
        noise = torch.from_numpy(generator.standard_normal(embeddings.shape, np.float32))
        length = torch.from_numpy(generator.uniform(0, NOISE, (len(asked), 1)).astype(np.float32))
        embeddings = functional.normalize(embeddings + length * functional.normalize(noise, dim=-1), dim=-1)
        return StepPrompts(
            embeddings, tuple(prompt.structures for prompt in asked), tuple(prompt.word for prompt in asked)
        )

    def _count(self, share: str) -> int:
        return round(self.options.prompts_per_step * float(getattr(self.options, share)))

    def _draw_singles(self, content: PatchContent, count: int, generator: np.random.Generator) -> list[Asked]:
        """Return so many structures: what is shown, and of what is not a share, nearest first; fewer if all are in."""
        names = self._in_random_order(content.looked_for, generator)
        shown = [name for name in names if name in content.shown]
        beside = {neighbour for name in shown for neighbour in self.near.get(name, ())}
        absent = [name for name in names if name not in content.shown and name in beside]
        absent += [name for name in names if name not in content.shown and name not in beside]
        negatives = min(self._count("near_negatives"), len(absent), count)
        positives = min(len(shown), count - negatives)
        chosen = [*shown[:positives], *absent[: count - positives]]
        return [Asked((self._draw_text(name, generator),), (name,)) for name in chosen]

    def _draw_absent(self, content: PatchContent, generator: np.random.Generator) -> list[Asked]:
        """Return words for what is known to be absent."""
        count = self._count("absent_words")
        known = [word for word in self.absent_words if word.is_known_absent(content.shown)] if count else []
        return [Asked((known[at].text,), word=known[at]) for at in generator.permutation(len(known))[:count]]

    def _draw_nonsense(self, generator: np.random.Generator) -> list[Asked]:
        """Return words that mean nothing in a body."""
        chosen = generator.permutation(len(TRAINED_NONSENSE))[: self._count("nonsense")]
        return [Asked((TRAINED_NONSENSE[at],), word=AbsentWord(TRAINED_NONSENSE[at])) for at in chosen]

    def _draw_groups(self, content: PatchContent, generator: np.random.Generator) -> list[Asked]:
        """Return trained groups by one of their names, most of them such that a member is shown."""
        groups = [group for group in self._trained_groups if content.looked_for.issuperset(group.members)]
        groups = [groups[at] for at in generator.permutation(len(groups))]
        count = self._count("groups")
        shown = [group for group in groups if not content.shown.isdisjoint(group.members)]
        chosen = shown[: round(SHOWN_GROUPS * count)]
        chosen += [group for group in groups if group not in chosen][: count - len(chosen)]
        prompts = self.structure_prompts.trained_of_groups
        return [Asked((_draw_name(prompts[group.name], generator),), group.members) for group in chosen]

    def _draw_several(self, content: PatchContent, generator: np.random.Generator) -> Asked:
        """Return two to five structures, half the time of one family as far as it goes; they complete no held-out
        group. Half the time structures that are shown come first.
        """
        size = int(generator.integers(2, MOST_MERGED + 1))
        order = self._in_random_order(content.looked_for, generator)
        if generator.random() < 0.5:
            order.sort(key=lambda name: name not in content.shown)
        if self._families and generator.random() < 0.5:
            family = self._families[int(generator.integers(len(self._families)))]
            order.sort(key=lambda name: name not in family)
        chosen: set[str] = set()
        for name in order:
            together = chosen | {name}
            if not any(group <= together for group in self._held_out_groups):
                chosen = together
            if len(chosen) == size:
                break
        members = tuple(name for name in order if name in chosen)
        return Asked(tuple(self._draw_text(name, generator) for name in members), members)

    def _in_random_order(self, wanted: Collection[str], generator: np.random.Generator) -> list[str]:
        names = list(self.structure_prompts.names)
        return [names[at] for at in generator.permutation(len(names)) if names[at] in wanted]

    def _draw_text(self, name: str, generator: np.random.Generator) -> str:
        return _draw_name(self.structure_prompts.trained[name], generator)


def _draw_name(prompts: Sequence[str], generator: np.random.Generator) -> str:
    """Return the name, which is the first, half the time, else one of the other prompts."""
    by_synonym = len(prompts) > 1 and generator.random() < 0.5
    return prompts[int(generator.integers(1, len(prompts))) if by_synonym else 0]
