"""Settings that had another name in earlier versions.

A YAML file or a flag with the old name is refused, and the error gives the new name. Records of earlier runs
(resume.json, checkpoint.json) keep the old names for ever: whatever reads or compares stored settings takes them
through `with_current_names`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED: Mapping[str, str] = {
    "words_weight": "anchor_weight",
    "reading": "mgcl_variant",
    "rescue_weight": "missed_structure_weight",
}


def with_current_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored settings with each old name replaced by the current one; values stay as they are."""
    return {RENAMED.get(name, name): value for name, value in settings.items()}
