"""Captions made from real reports, each kind with a truth label of its own."""

from benchmarks.quality.captions import (
    assertions,
    borrowed,
    changed_reports,
    invented,
    places,
    qualifiers,
    rewrites,
    sizes,
)
from benchmarks.quality.captions.kinds import FAITHFUL, HALLUCINATED

__all__ = [
    "FAITHFUL",
    "HALLUCINATED",
    "assertions",
    "borrowed",
    "changed_reports",
    "invented",
    "places",
    "qualifiers",
    "rewrites",
    "sizes",
]
