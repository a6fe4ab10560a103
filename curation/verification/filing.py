"""Whether a caption is filed under the organ that its evidence is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from curation.caption import Reason


@dataclass(slots=True)
class Problem:
    """One thing that the evidence does not carry."""

    reason: Reason
    detail: str
    final: bool = False  # no other statement of the report makes up for it


def listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
