"""Which words a connector knows, and from which nearness to them on a prompt counts as one that it may find.

A word that means nothing in a body is far from every trained prompt, and most synonyms that were never trained are
near one. So meaningless words need not be taught as absent: that taught that "cord" is absent too, which training
does not have and which is near "spinal cord". They only say where the line is.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from models.connectors import Connector, KnownWords
from train.data.structure_prompts import StructurePrompts

from .nonsense_words import TRAINED_NONSENSE

# Of the meaningless words so many are farther than the line.
FARTHER = 0.99


def know_words(connector: Connector, prompts: StructurePrompts, embeddings: Mapping[str, Tensor]) -> None:
    """Let a connector know the trained prompts, beside those that it knows, and place the line.

    `embeddings` has (E,) of length 1 for each prompt, and for the meaningless words.
    """
    vectors = torch.stack([embeddings[prompt] for prompt in sorted(prompts.trained_prompts)])
    device = next(connector.parameters()).device
    if connector.known is not None:
        vectors = torch.unique(torch.cat((connector.known.vectors.to(vectors.device), vectors)), dim=0)
    known = KnownWords(*vectors.shape)
    known.vectors.copy_(vectors)
    nonsense = known.nearness(torch.stack([embeddings[word] for word in TRAINED_NONSENSE]))
    known.unknown.copy_(torch.stack((nonsense.quantile(FARTHER), nonsense.std().clamp(min=1e-3))))
    connector.known = known.to(device)
