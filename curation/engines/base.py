"""The interface of an engine that extracts captions from the text itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from curation.caption import Draft
from curation.report import Report


class TextEngine(Protocol):
    """Drafts captions from the text of reports. ``model`` and ``prompt`` (a hash) are recorded with each caption."""

    name: str
    model: str | None
    prompt: str | None

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        """Yield the drafts of each report, in the order of ``reports``."""
        ...
