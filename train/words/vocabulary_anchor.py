"""A loss that holds the names of the anatomy vocabulary where the text encoder had them before the alignment.

A few hundred reports teach a text encoder what volumes look like, and make it forget what words mean: on phantoms,
masks for held-out synonyms got worse by the alignment alone. The vocabulary's names are what prompts are made of, so
they are held where they were.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.text import TextEncoder
from prompts.vocabulary import load_vocabulary
from train.order import random

# Names looked at in a step: short ones, a small part of what a batch of reports costs.
NAMES_IN_STEP = 48
# Names of an organ beyond these are spellings of each other.
NAMES_OF_ORGAN = 2


class VocabularyAnchor:
    """The names of the vocabulary (N) and where `text` had them when this was made: `anchors` (N, E) of length 1."""

    def __init__(self, text: TextEncoder, seed: int) -> None:
        self.text, self.seed = text, seed
        organs = load_vocabulary().organs.values()
        self.names = list(dict.fromkeys(term for organ in organs for term in organ.terms[:NAMES_OF_ORGAN]))
        self.anchors = text.encode(self.names)

    def loss(self, step: int) -> Tensor:
        """Return 1 − cosine between each name's embedding now and its anchor, the mean over the names of the step."""
        drawn = torch.from_numpy(random((self.seed, 7, step)).permutation(len(self.names))[:NAMES_IN_STEP])
        embedded = self.text.embed([self.names[index] for index in drawn.tolist()]).float()
        return (1 - (embedded * self.anchors[drawn].to(embedded.device)).sum(dim=1)).mean()
