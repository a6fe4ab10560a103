"""Tells what a prompt is near to: a word that training had, several of them together, or an organ that it did not have.

Shapes: P prompts, E embedding, N words, U unions, M members of a union.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

# A prompt is read as a trained word where its cosine to all that mean something else is smaller by this. In trials
# with TotalSegmentator's words and two encoders no held-out synonym was read wrongly (with 0.08 one was), and 9 and 12
# of 262 names of groups as one of their parts (benchmarks/training/bench_readings.py).
CLEARLY = 0.12
# It is read as several structures together where its cosine to the mean of their words is larger by this than to any
# trained word, and smaller by no more than this than to any organ that training did not have. In trials 1 % of the
# held-out synonyms of single structures were (benchmarks/training/bench_readings.py).
TOGETHER, LIKE_OTHER = 0.03, 0.1
# It is taken for an organ that training did not have where its cosine to that is larger by this than to all trained
# words and unions (in trials no held-out word was; with 0.2 "hip bone" was, for the hip joints), or above this cosine.
FAR, SAME_WORD = 0.25, 0.97
# The meaning of words for organs that training did not have.
OTHER_ORGAN = -1
# Members of a union, at most; what has fewer is filled up with `NO_MEMBER`.
MOST_MEMBERS = 30
NO_MEMBER = -1


class KnownWords(nn.Module):
    """Holds the words that a connector was trained on, other organs, and unions of like-named structures.

    `vectors` (N, E) are the embeddings of words, `meanings` (N) says what each means: words of one number mean the
    same, and `OTHER_ORGAN` marks an organ that training did not have. `unions` (U, E) are the means of the words of
    several structures ("left kidney", "right kidney"), `members` (U, M) the rows in `vectors` of these structures'
    names.

    `unknown` holds the nearness (largest cosine) up to which a prompt names nothing that the connector knows, and how
    much nearer one has to be to be that much surer: the limit of presence is (nearness - first) / second. Both come
    from words that mean nothing (train/prompting/known_words.py).
    """

    vectors: Tensor
    meanings: Tensor
    unions: Tensor
    members: Tensor
    unknown: Tensor

    def __init__(self, count: int, embedding_dim: int, unions: int = 0) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(count, embedding_dim))
        # Whole numbers, but a weights file holds floating-point numbers alone.
        self.register_buffer("meanings", torch.arange(count, dtype=torch.float32))
        self.unions = torch.zeros(unions, embedding_dim)
        self.members = torch.full((unions, MOST_MEMBERS), float(NO_MEMBER))
        if unions:  # weights of earlier versions have none
            for name in ("unions", "members"):
                self.register_buffer(name, self.__dict__.pop(name))
        self.register_buffer("unknown", torch.tensor([0.0, 1.0]))

    def nearness(self, prompts: Tensor) -> Tensor:
        """Return the largest cosine (P) of embeddings (P, E) to a trained word, or to several together."""
        return torch.maximum(self._nearness_to_trained(prompts), self._nearness_to_unions(prompts))

    def limit(self, prompts: Tensor) -> Tensor:
        """Return the largest logits of presence (P) of embeddings (P, E): below 0 for what is not known.

        That is a prompt far from all that is known, or nearer to an organ that training did not have: farther from
        all that is known by `FAR`, or the same word.
        """
        known, other = self.nearness(prompts), self._nearness_to_others(prompts)
        told_apart = torch.minimum(known + FAR - other, torch.maximum(known, other.new_tensor(SAME_WORD)) - other)
        limits: Tensor = torch.minimum(known - self.unknown[0], told_apart) / self.unknown[1]
        return limits

    def read(self, prompts: Tensor) -> Tensor:
        """Return embeddings (P, E); one that is nearest to a trained word becomes that word's.

        It must be nearer by `CLEARLY` than any trained word that means something else, and no other organ nearer.
        """
        nearest, clear = self._clearly_nearest(prompts)
        return torch.where(clear.unsqueeze(-1), self.vectors[nearest].to(prompts.dtype), prompts)

    def read_as(self, prompts: Tensor) -> list[Tensor]:
        """Return for each embedding of (P, E) the meanings that it is read as: none, one, or those of several together.

        It is read as several where it is nearer by `TOGETHER` to their mean than to any trained word, and no other
        organ is nearer by more than `LIKE_OTHER`; else as one word as in `read`. What is not known is not read.
        """
        nearest, clear = self._clearly_nearest(prompts)
        together = self._nearness_to_unions(prompts)
        several = together - self._nearness_to_trained(prompts) >= TOGETHER
        several &= self._nearness_to_others(prompts) - together <= LIKE_OTHER
        several_rows = self._nearest_members(prompts) if several.any() else [nearest[:0]] * len(prompts)
        rows = [
            members if together else row[None][clear_one[None]]
            for members, together, row, clear_one in zip(several_rows, several.tolist(), nearest, clear, strict=True)
        ]
        known = (self.limit(prompts) >= 0).tolist()
        return [
            self.meanings[row] if is_known else self.meanings[:0] for row, is_known in zip(rows, known, strict=True)
        ]

    def hold(self, unions: Sequence[tuple[Tensor, Sequence[int]]]) -> None:
        """Take over unions: for each the mean (E) of its words, and the rows of its members."""
        for place, (mean, rows) in enumerate(unions):
            self.unions[place] = mean
            self.members[place, : len(rows)] = torch.tensor(rows, dtype=self.members.dtype)

    def _clearly_nearest(self, prompts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the row (P) of the trained word nearest to each embedding of (P, E), and whether it is clear (P)."""
        cosines = self._cosines_to(prompts, self.meanings != OTHER_ORGAN)
        largest, nearest = cosines.max(dim=-1)
        same = self.meanings == self.meanings[nearest].unsqueeze(-1)
        clear = largest - cosines.masked_fill(same, -1.0).amax(dim=-1) >= CLEARLY
        return nearest, clear & (largest >= self._nearness_to_others(prompts))

    def _nearest_members(self, prompts: Tensor) -> list[Tensor]:
        """Return for each embedding of (P, E) the rows of the union whose mean is nearest to it."""
        members = self.members[(_unit(prompts) @ self.unions.T).argmax(dim=-1)].long()
        return [row[row != NO_MEMBER] for row in members]

    def _nearness_to_trained(self, prompts: Tensor) -> Tensor:
        """Return the largest cosine (P) of embeddings (P, E) to a trained word."""
        return self._cosines_to(prompts, self.meanings != OTHER_ORGAN).amax(dim=-1)

    def _nearness_to_others(self, prompts: Tensor) -> Tensor:
        """Return the largest cosine (P) of embeddings (P, E) to an organ that training did not have."""
        return self._cosines_to(prompts, self.meanings == OTHER_ORGAN).amax(dim=-1)

    def _nearness_to_unions(self, prompts: Tensor) -> Tensor:
        """Return the largest cosine (P) of embeddings (P, E) to the mean of several structures, -1 without any."""
        if not len(self.unions):  # `len(prompts)` would fix their number in an exported graph
            return torch.full_like(prompts[:, 0], -1.0, dtype=torch.float32)
        return (_unit(prompts) @ self.unions.T).amax(dim=-1)

    def _cosines_to(self, prompts: Tensor, chosen: Tensor) -> Tensor:
        """Return the cosines (P, N) of embeddings (P, E) to the words that are `chosen` (N), and -1 to all others."""
        return (_unit(prompts) @ self.vectors.T).masked_fill(~chosen, -1.0)


def _unit(prompts: Tensor) -> Tensor:
    """Return embeddings (P, E) in float32, each of length 1."""
    return functional.normalize(prompts.float(), dim=-1)
