"""The texts that a text-driven model is asked for prompts: their own words, or names that it was trained on.

The vocabulary says which structures a prompt means, where it may help. A text that is no trained prompt then may be
read by the model itself, as one of its words or as several structures together (`KnownWords`): it is asked for their
names, and the mask is the union. Shapes: T texts, E embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional

from models.known_words import KnownWords
from models.segmenter import TextSegmenter
from train.data.structure_prompts import StructurePrompts
from train.inference.prompts import training_names

# From this cosine on, two embeddings are those of one word: they may have been computed on different devices.
_SAME = 0.999


class AskedTexts(NamedTuple):
    """Which `texts` a model is asked, with `embeddings` (T, E), and which of them for each prompt.

    The mask of a prompt is the union of those of its texts. `read_by_model` has the numbers of the prompts of which the
    model itself has read something as other words than the vocabulary's.
    """

    of_prompts: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    embeddings: Tensor
    read_by_model: frozenset[int]

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        model: TextSegmenter,
        prompts: Sequence[str],
        trained: StructurePrompts | None,
        *,
        vocabulary: bool,
        embedded: Mapping[str, Tensor] | None = None,
    ) -> Self:
        """Return what a model that was `trained` on these prompts is asked; with `vocabulary`, with its help.

        Texts that are `embedded` already, each as (E), are not embedded again.
        """
        names = [training_names(prompt, trained if vocabulary else None) for prompt in prompts]
        embedding_of = _embed(model, _distinct(names), embedded or {})
        read = _read_by_model(model, embedding_of, trained, embedded or {})
        asked = [tuple(dict.fromkeys(name for text in own for name in read.get(text, (text,)))) for own in names]
        texts = _distinct(asked)
        embeddings = torch.stack(list(_embed(model, texts, {**(embedded or {}), **embedding_of}).values()))
        by_model = frozenset(number for number, own in enumerate(names) if not read.keys().isdisjoint(own))
        return cls(tuple(asked), tuple(texts), embeddings, by_model)

    def numbers(self) -> list[tuple[int, ...]]:
        """Return for each prompt the numbers of its texts."""
        return [tuple(map(self.texts.index, of_prompt)) for of_prompt in self.of_prompts]

    def unions(self, masks: Tensor) -> Tensor:
        """Return the masks (P, ...) of the prompts, of those of their texts (T, ...)."""
        return torch.stack([masks[list(numbers)].any(dim=0) for numbers in self.numbers()])


def _distinct(names: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(text for of_prompt in names for text in of_prompt))


def _embed(model: TextSegmenter, texts: Sequence[str], embedded: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the embedding (E) of each text, in order; those that are `embedded` already are not embedded again."""
    assert model.text is not None
    new = [text for text in texts if text not in embedded]
    found = dict(zip(new, model.text.encode(new), strict=True))
    return {text: embedded[text] if text in embedded else found[text] for text in texts}


def _read_by_model(
    model: TextSegmenter,
    embedding_of: Mapping[str, Tensor],
    trained: StructurePrompts | None,
    embedded: Mapping[str, Tensor],
) -> dict[str, tuple[str, ...]]:
    """Return the texts that the model reads as others, with the names of the structures or of the group."""
    known = model.connector.known
    if known is None or trained is None:
        return {}
    prompts = trained.trained_prompts
    texts = [text for text in embedding_of if text not in prompts]
    if not texts:
        return {}
    embeddings = torch.stack([embedding_of[text] for text in texts]).to(known.vectors.device)
    read = known.read_as(embeddings)
    if not any(len(words) for words in read):
        return {}
    names = _distinct([list(trained.names.values()), [of_group[0] for of_group in trained.trained_of_groups.values()]])
    vectors = torch.stack(list(_embed(model, names, {**embedded, **embedding_of}).values())).to(embeddings)
    name_of = names_by_meaning(names, vectors, known)
    asked = {
        text: tuple(name_of.get(meaning, "") for meaning in meanings.int().tolist())
        for text, meanings in zip(texts, read, strict=True)
    }
    return {text: of_text for text, of_text in asked.items() if of_text and all(of_text)}


def names_by_meaning(names: Sequence[str], vectors: Tensor, known: KnownWords) -> dict[int, str]:
    """Return the name of each meaning that `known` has; `vectors` (N, E) are those of the names."""
    cosines, rows = (functional.normalize(vectors, dim=-1) @ known.vectors.T).max(dim=-1)
    found = zip(names, known.meanings[rows].int().tolist(), (cosines > _SAME).tolist(), strict=True)
    return {meaning: name for name, meaning, same in found if same}
