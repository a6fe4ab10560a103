"""Which words a connector knows, and from which nearness to them on a prompt counts as one that it may find.

A word that means nothing in a body is far from every trained prompt, and most synonyms that were never trained are
near one. So meaningless words need not be taught as absent: that taught that "cord" is absent too, which training
does not have and which is near "spinal cord". They only say where the line is.

A prompt that is clearly nearest to one trained prompt is read as that one. One that is much nearer to an organ of the
vocabulary that training does not have ("stomach", where only the esophagus is labelled) is that organ, and absent. And
one that is nearest to the mean of several structures that share words is read as these ("renal organ": both kidneys),
although no name of the group was trained: `train words` places a group at the mean of its members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from models.connectors import Connector
from models.known_words import OTHER_ORGAN, KnownWords
from train.data.structure_prompts import StructurePrompts

from .like_named_structures import find_like_named
from .nonsense_words import TRAINED_NONSENSE

# Share of the meaningless words that lie beyond the line.
FARTHER = 0.99
# From this cosine on, two embeddings are those of one word.
SAME = 0.9999


def know_words(
    connector: Connector, prompts: StructurePrompts, embeddings: Mapping[str, Tensor], others: Sequence[str] = ()
) -> None:
    """Let a connector know the trained prompts and `others`, beside the prompts that it knows, and place the line.

    `embeddings` has (E,) of length 1 for each prompt, for `others`, the names of organs that training does not have,
    and for the meaningless words. Of a connector that goes on, an organ counts as untrained where it was in every
    training, and unions are those of the last one.
    """
    meaning_of = _meanings(prompts)
    texts = [*sorted(meaning_of), *others]
    vectors = torch.stack([embeddings[text] for text in texts])
    meanings = torch.tensor([float(meaning_of.get(text, OTHER_ORGAN)) for text in texts])
    if (earlier := connector.known) is not None:
        vectors, meanings = _joined(earlier.vectors.cpu(), earlier.meanings.cpu(), vectors.cpu(), meanings)
    unions = _unions(prompts, embeddings, vectors.cpu())
    known = KnownWords(len(vectors), vectors.shape[1], len(unions))
    known.vectors.copy_(vectors)
    known.meanings.copy_(meanings)
    known.hold(unions)
    nonsense = known.nearness(torch.stack([embeddings[word] for word in TRAINED_NONSENSE]))
    known.unknown.copy_(torch.stack((nonsense.quantile(FARTHER), nonsense.std().clamp(min=1e-3))))
    connector.known = known.to(next(connector.parameters()).device)


def _unions(
    prompts: StructurePrompts, embeddings: Mapping[str, Tensor], vectors: Tensor
) -> list[tuple[Tensor, list[int]]]:
    """Return like-named structures together: the mean (E) of their words, and their names' rows in `vectors` (N, E)."""
    row_of = {
        structure: int((vectors @ embeddings[name].float().cpu()).argmax()) for structure, name in prompts.names.items()
    }
    return [
        (
            _mean([_mean([embeddings[prompt] for prompt in of_structure]) for of_structure in having.values()]),
            [row_of[structure] for structure in having],
        )
        for having in find_like_named(prompts.names, prompts.trained)
    ]


def _mean(vectors: Sequence[Tensor]) -> Tensor:
    """Return the mean (E) of vectors (E), of length 1."""
    return functional.normalize(torch.stack(list(vectors)).float().mean(dim=0), dim=-1)


def _meanings(prompts: StructurePrompts) -> dict[str, int]:
    """Return a number for each trained prompt, the same for those that mean the same structures."""
    members = {name: (name,) for name in prompts.trained} | {group.name: group.members for group in prompts.groups}
    numbers: dict[frozenset[str], int] = {}
    return {
        text: numbers.setdefault(frozenset(members[name]), len(numbers))
        for kind in (prompts.trained_of_groups, prompts.trained)
        for name, texts in kind.items()
        for text in texts
    }


def _joined(earlier: Tensor, earlier_meanings: Tensor, vectors: Tensor, meanings: Tensor) -> tuple[Tensor, Tensor]:
    """Return vectors (N, E) and meanings (N) of both; a word that both were trained on has the later meaning."""
    same = earlier @ vectors.T > SAME
    was_other, is_other = earlier_meanings == OTHER_ORGAN, meanings == OTHER_ORGAN
    trained_again = same & ~is_other
    kept = ~was_other & ~trained_again.any(dim=1)
    taken = ~is_other | (same & was_other[:, None]).any(dim=0)
    later = torch.where(is_other, OTHER_ORGAN, meanings + earlier_meanings.max() + 1)
    # Where one word of an earlier meaning is trained again, its other words have the later meaning too.
    renamed = earlier_meanings.clone()
    for row, column in trained_again.nonzero().tolist():
        if not was_other[row]:
            renamed[earlier_meanings == earlier_meanings[row]] = later[column]
    return torch.cat((earlier[kept], vectors[taken])), torch.cat((renamed[kept], later[taken]))
