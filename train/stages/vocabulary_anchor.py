"""Words keep their place while the text encoder is aligned to volumes.

A few hundred reports teach a text encoder what volumes look like, and make it forget what words mean: on phantoms,
masks for held-out synonyms got worse by the alignment alone. So the names of the anatomy vocabulary, which prompts are
made of, are held where the encoder had them before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from models.text import TextEncoder
from prompts.vocabulary import load_vocabulary
from train.order import random

# Names looked at in a step: short ones, a small part of what a batch of reports costs.
AT_ONCE = 48
# Names of an organ beyond these are spellings of each other.
OF_EACH = 2


@dataclass(frozen=True)
class KeptWords:
    """Names (N) and where `text` had them before the first step, (N, E) of length 1."""

    text: TextEncoder
    seed: int

    @cached_property
    def names(self) -> list[str]:
        """Of every organ the first few."""
        organs = load_vocabulary().organs.values()
        return list(dict.fromkeys(term for organ in organs for term in organ.terms[:OF_EACH]))

    @cached_property
    def before(self) -> Tensor:
        """As the encoder stands when first asked."""
        return self.text.encode(self.names)

    def loss(self, step: int) -> Tensor:
        """1 − cosine between now and before, mean over the names drawn for the step."""
        drawn = torch.from_numpy(random((self.seed, 7, step)).permutation(len(self.names))[:AT_ONCE])
        now = self.text.embed([self.names[place] for place in drawn.tolist()]).float()
        return (1 - (now * self.before[drawn].to(now.device)).sum(dim=1)).mean()
