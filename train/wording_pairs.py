"""What the anatomy vocabulary says about words alone: synonyms mean one thing, a group means its members together.

Masks teach a connector a few dozen structures; the vocabulary knows hundreds more, and how each may be called. From
these the connector learns which differences of wording matter and what a plural means, without any volume. Whatever an
evaluation holds out stays out: of the data set's own structures only the synonyms that training may use are here, and
no group that has one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.connectors import Connector
from prompts.vocabulary import Vocabulary, load_vocabulary

from .order import random
from .structure_prompts import PromptBook, synonyms_of

# Temperature of the softmax over wordings, and how many meet in one.
TEMPERATURE = 0.07
MEETING = 256
MOST_MEMBERS = 12
MOST_SYNONYMS = 9


@dataclass(frozen=True)
class WordingPair:
    """A text, and the texts that it stands for: one name, or the members of a group."""

    text: str
    means: tuple[str, ...]


def wording_pairs(book: PromptBook, vocabulary: Vocabulary | None = None) -> list[list[WordingPair]]:
    """Pairs of each organ of the vocabulary, and of each structure of the book, that training may use."""
    vocabulary = vocabulary or load_vocabulary()
    own = {organ for organ in map(vocabulary.resolve, book.names) if organ}
    away = own | {ancestor for organ in own for ancestor in vocabulary.ancestors(organ)}
    held_out = {text.lower() for texts in (*book.held_out.values(), *book.group_prompts.values()) for text in texts}
    pairs = [[WordingPair(text, (name,)) for text in book.trained[each][1:]] for each, name in book.names.items()]
    for name, organ in vocabulary.organs.items():
        if name in away or organ.region:
            continue
        found = [WordingPair(text, (name,)) for text in synonyms_of(name, vocabulary)[:MOST_SYNONYMS]]
        members = organ.sides or _children(name, vocabulary)
        if 2 <= len(members) <= MOST_MEMBERS:
            found.append(WordingPair(name, tuple(members)))
        pairs.append([pair for pair in found if pair.text.lower() not in held_out])
    return [each for each in pairs if each]


def _children(name: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(other for other, organ in vocabulary.organs.items() if name in organ.parents and not organ.region)


@dataclass(frozen=True)
class WordingLoss:
    """InfoNCE between texts and what they stand for, in the space that all queries are made from."""

    pairs: Sequence[Sequence[WordingPair]]
    embeddings: Mapping[str, Tensor]
    seed: int

    def __call__(self, connector: Connector, step: int, device: torch.device) -> Tensor:
        """Of as many organs as meet in one softmax, each with one of its pairs; 0 where there are fewer than two."""
        generator = random((self.seed, 5, step))
        chosen = [self.pairs[place] for place in generator.permutation(len(self.pairs))[:MEETING]]
        drawn = [pairs[int(generator.integers(len(pairs)))] for pairs in chosen]
        if len(drawn) < 2:
            return torch.zeros((), device=device)
        texts = torch.stack([self.embeddings[pair.text] for pair in drawn])
        meant = torch.stack([torch.stack([self.embeddings[text] for text in pair.means]).mean(dim=0) for pair in drawn])
        both = torch.cat((texts, functional.normalize(meant, dim=-1))).to(device)
        first, second = functional.normalize(connector.wording(both).float(), dim=-1).chunk(2)
        logits = first @ second.T / TEMPERATURE
        right = torch.arange(len(drawn), device=device)
        return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


def texts_of(pairs: Sequence[Sequence[WordingPair]]) -> list[str]:
    """Every text, once."""
    every = (text for each in pairs for pair in each for text in (pair.text, *pair.means))
    return list(dict.fromkeys(every))
