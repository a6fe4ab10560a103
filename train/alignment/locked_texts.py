"""The embeddings of texts by an encoder that does not train: each is computed once, and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.embedding_bank import EmbeddingBank
from models.text import TextEncoder

BANK = "texts.sqlite"
"""The file of embeddings in a cache."""


class LockedTexts:
    """The embeddings of texts by `text`, in a file of `cache`; those that were asked for stay in memory too."""

    def __init__(self, text: TextEncoder, cache: Path) -> None:
        self.text = text
        self._bank = EmbeddingBank(cache / BANK)
        self._kept: dict[str, Tensor] = {}

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Return vectors (N, E), float32, on the encoder's device, without a gradient."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if missing:
            vectors = self._bank.embeddings(self.text, missing).to(self.text.device)
            self._kept |= dict(zip(missing, vectors, strict=True))
        return torch.stack([self._kept[text] for text in texts])
