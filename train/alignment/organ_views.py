"""Which classes of a network show an organ: the part of a volume's vector that captions on that organ are held against.

A view is a set of classes. Several organs may have the same; those of which no class shows anything have the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from prompts.vocabulary import Vocabulary
from train.data.caption_sources import OrganCaption

WHOLE = 0
"""The number of the view that is the whole volume."""


class OrganViews:
    """The views of organs, as captions are filed under them, of a network with `labels` (K names of classes)."""

    def __init__(self, organs: Iterable[str], labels: Sequence[str], vocabulary: Vocabulary) -> None:
        structures = [vocabulary.resolve(label) for label in labels]
        classes: list[frozenset[int]] = [frozenset()]
        self._numbers: dict[str, int] = {}
        for name in dict.fromkeys(organs):
            organ = vocabulary.resolve(name) if name else None
            shown = _classes_of(organ, structures, vocabulary) if organ else frozenset[int]()
            if shown not in classes:
                classes.append(shown)
            self._numbers[name] = classes.index(shown)
        self.masks = torch.tensor([[number in shown for number in range(len(labels))] for shown in classes])
        """(V, K) bool: the classes of each view; the first, the whole, has none of its own."""
        # Sets of classes as bits of whole numbers: they are compared for every sample.
        self._bits = [sum(1 << number for number in shown) for shown in classes]

    def __len__(self) -> int:
        return len(self.masks)

    def number(self, organ: str) -> int:
        """Return the number of an organ's view, `WHOLE` where no class shows it."""
        return self._numbers.get(organ, WHOLE)

    def unremarkable(self, captions: Iterable[OrganCaption]) -> tuple[bool, ...]:
        """Return (V,): whether everything that a report's captions say of each view's classes is normal.

        That holds also where nothing is said, and never for the whole.
        """
        remarkable = 0
        for caption in captions:
            if caption.status != "normal":
                remarkable |= self._bits[self.number(caption.organ)]
        return (False, *(not bits & remarkable for bits in self._bits[1:]))


def organ_mask(organ: str, labels: Sequence[str], vocabulary: Vocabulary) -> Tensor | None:
    """Return (K,) bool, the classes that show an organ, None where none does."""
    views = OrganViews([organ], labels, vocabulary)
    return None if views.number(organ) == WHOLE else views.masks[views.number(organ)]


def _classes_of(organ: str, structures: Sequence[str | None], vocabulary: Vocabulary) -> frozenset[int]:
    """Return the classes that are the organ or parts of it; else those that it is a part of, else its neighbours."""
    below = {organ, *vocabulary.descendants(organ)}
    own = frozenset(number for number, name in enumerate(structures) if name in below)
    if own:
        return own
    above = vocabulary.ancestors(organ)
    return frozenset(number for number, name in enumerate(structures) if name in above) or _neighbours(
        organ, structures, vocabulary
    )


def _neighbours(organ: str, structures: Sequence[str | None], vocabulary: Vocabulary) -> frozenset[int]:
    """Return the classes, of the organ's side, of what it lies in or around by the vocabulary ("pleura": lungs)."""
    organs = vocabulary.organs
    both = [name for name in organs[organ].parents if organ in (organs[name].sides or ())]
    places = set(organs[organ].lies_in)
    for name in (organ, *both):
        around = (organs[part].around for part in (name, *vocabulary.descendants(name)))
        places |= {place for place in around if place is not None}
    side, near = organs[organ].side, set[str]()
    for place in places:
        near |= {place, *vocabulary.descendants(place)}
    return frozenset(
        number
        for number, name in enumerate(structures)
        if name in near and not (side and organs[name].side and side != organs[name].side)
    )
