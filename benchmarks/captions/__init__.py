"""Captions made from real reports, each kind with a truth label of its own."""

from . import assertions, borrowed, invented, places, qualifiers, rewrites, sizes
from .kinds import FAITHFUL, HALLUCINATED

__all__ = [
    "FAITHFUL",
    "HALLUCINATED",
    "assertions",
    "borrowed",
    "invented",
    "places",
    "qualifiers",
    "rewrites",
    "sizes",
]
