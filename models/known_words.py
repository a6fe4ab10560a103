"""The words that a connector knows: what it was trained on, and organs that it was not.

Shapes: P prompts, N words, E embedding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# A prompt is read as a trained word where its cosine to all that mean something else is smaller by this. In trials
# with TotalSegmentator's words no held-out synonym was read wrongly, and next to no held-out group as one of its parts.
CLEARLY = 0.15
# It is taken for an organ that training did not have where its cosine to all trained words is smaller by this. Of
# held-out words in trials none was; with 0.2 "hip bone" was, for the hip joints.
FAR = 0.25
# The meaning of words for organs that training did not have.
OTHER_ORGAN = -1


class KnownWords(nn.Module):
    """Tells what prompts are near to: words that a connector was trained on, or other organs.

    `vectors` (N, E) are their embeddings, `meanings` (N) says what each means: words of one number mean the same, and
    `OTHER_ORGAN` marks an organ that training did not have.

    `unknown` holds the nearness (largest cosine) to a trained word up to which a prompt names nothing that the
    connector knows, and how much nearer one has to be to be that much surer: the limit of presence is
    (nearness - first) / second. Both come from words that mean nothing (train/prompting/known_words.py).
    """

    vectors: Tensor
    meanings: Tensor
    unknown: Tensor

    def __init__(self, count: int, embedding_dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(count, embedding_dim))
        # Whole numbers, but a weights file holds floating-point numbers alone.
        self.register_buffer("meanings", torch.arange(count, dtype=torch.float32))
        self.register_buffer("unknown", torch.tensor([0.0, 1.0]))

    def nearness(self, prompts: Tensor) -> Tensor:
        """Return the largest cosine (P) of embeddings (P, E) to a trained word."""
        return self._cosines(prompts).masked_fill(self.meanings == OTHER_ORGAN, -1.0).amax(dim=-1)

    def limit(self, prompts: Tensor) -> Tensor:
        """Return the largest logits of presence (P) of embeddings (P, E): below 0 for what is not known.

        That is a prompt far from every trained word, or farther by `FAR` than from an organ that training did not have.
        """
        trained = self.nearness(prompts)
        other = self._cosines(prompts).masked_fill(self.meanings != OTHER_ORGAN, -1.0).amax(dim=-1)
        limits: Tensor = torch.minimum(trained - self.unknown[0], trained + FAR - other) / self.unknown[1]
        return limits

    def read(self, prompts: Tensor) -> Tensor:
        """Return embeddings (P, E); one that is nearest to a trained word by `CLEARLY` becomes that word's."""
        cosines = self._cosines(prompts).masked_fill(self.meanings == OTHER_ORGAN, -1.0)
        largest, nearest = cosines.max(dim=-1)
        same = self.meanings == self.meanings[nearest].unsqueeze(-1)
        clear = largest - cosines.masked_fill(same, -1.0).amax(dim=-1) >= CLEARLY
        return torch.where(clear.unsqueeze(-1), self.vectors[nearest].to(prompts.dtype), prompts)

    def _cosines(self, prompts: Tensor) -> Tensor:
        """Return the cosines (P, N) of embeddings (P, E) to all words."""
        return functional.normalize(prompts.float(), dim=-1) @ self.vectors.T
