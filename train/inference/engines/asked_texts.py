"""The texts that a text-driven model is asked for prompts: their own words, or the names of trained structures.

The vocabulary says which structures a prompt means, where it is asked for help. Without it, and where it does not know
a prompt, the model itself may read one as several structures together (`KnownWords.read_together`): it is asked for
their names then, and the mask is the union. Shapes: T texts, E embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional

from models.segmenter import TextSegmenter
from train.data.structure_prompts import StructurePrompts
from train.inference.prompts import training_names

# From this cosine on, two embeddings are those of one word.
_SAME = 0.999


class AskedTexts(NamedTuple):
    """Which `texts` a model is asked, with `embeddings` (T, E), and which of them for each prompt.

    The mask of a prompt is the union of those of its texts. `together` are the prompts that the model itself has read
    as several structures.
    """

    of_prompts: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    embeddings: Tensor
    together: frozenset[str]

    @classmethod
    @torch.no_grad()
    def of(
        cls, model: TextSegmenter, prompts: Sequence[str], trained: StructurePrompts | None, *, vocabulary: bool
    ) -> Self:
        """Return what a model that was `trained` on these prompts is asked; with `vocabulary`, with its help."""
        assert model.text is not None
        names = [training_names(prompt, trained if vocabulary else None) for prompt in prompts]
        texts = _distinct(names)
        embedding_of = dict(zip(texts, model.text.encode(texts), strict=True))
        together = _read_together(model, embedding_of, trained)
        names = [tuple(dict.fromkeys(part for text in own for part in together.get(text, (text,)))) for own in names]
        texts = _distinct(names)
        new = [text for text in texts if text not in embedding_of]
        embedding_of |= dict(zip(new, model.text.encode(new), strict=True))
        embeddings = torch.stack([embedding_of[text] for text in texts])
        return cls(tuple(names), tuple(texts), embeddings, frozenset(together))

    def numbers(self) -> list[tuple[int, ...]]:
        """Return for each prompt the numbers of its texts."""
        return [tuple(map(self.texts.index, of_prompt)) for of_prompt in self.of_prompts]


def _distinct(names: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(text for of_prompt in names for text in of_prompt))


def _read_together(
    model: TextSegmenter, embedding_of: Mapping[str, Tensor], trained: StructurePrompts | None
) -> dict[str, tuple[str, ...]]:
    """Return the texts that the model reads as several structures, with the names of these."""
    known = model.connector.known
    if known is None or trained is None or model.text is None:
        return {}
    texts = [text for text in embedding_of if text not in trained.trained_prompts]
    if not texts:
        return {}
    device = known.vectors.device
    read = known.read_together(torch.stack([embedding_of[text] for text in texts]).to(device))
    several = {text: members for text, members in zip(texts, read, strict=True) if len(members)}
    if not several:
        return {}
    names = list(trained.names.values())
    vectors = functional.normalize(model.text.encode(names).to(device), dim=-1)
    together = {}
    for text, members in several.items():
        cosines, places = (members @ vectors.T).max(dim=-1)
        if bool((cosines > _SAME).all()):
            together[text] = tuple(names[place] for place in places.tolist())
    return together
