"""Engines turn reports into drafts of captions: claims, until the verifier has held them against the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..reports import Report


@dataclass(frozen=True, slots=True)
class Draft:
    """One claimed caption: an organ (any name the vocabulary resolves) and a short statement about it.

    ``near`` is the number of the report's statement that it was made from, where the engine knows it; the verifier
    looks there first.
    """

    organ: str
    caption: str
    near: int | None = None


class Engine(Protocol):
    """What the pipeline needs of an engine. ``model`` and ``prompt`` (a hash) are recorded with each caption."""

    name: str
    model: str | None
    prompt: str | None

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        """Yield the drafts of each report, in the order of ``reports``."""
        ...
