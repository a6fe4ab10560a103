"""All rewrites and changes, by name."""

from __future__ import annotations

from . import changes, characters, frames, lines, numbers, order, phrases, references, wording, words
from .changes import Change
from .rewriting import Rewrite

_MODULES = (references, characters, lines, frames, order, numbers, words, wording, phrases)
REWRITES: dict[str, Rewrite] = {rewrite.name: rewrite for module in _MODULES for rewrite in module.REWRITES}
CHANGES: dict[str, Change] = {change.name: change for change in changes.CHANGES}
