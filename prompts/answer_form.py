"""The forms of a model's answer as JSON schemas, with nothing in them that only some servers understand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LONGEST_ORGAN = 60
"""Characters of an organ's name, where a model writes it itself."""


def organs_schema(organs: Iterable[str], max_captions: int, max_characters: int) -> dict[str, Any]:
    """An object with every organ as a key: null, or a list of captions."""
    captions = _list(_string(max_characters), 1, max_captions)
    return _object({organ: {"anyOf": [{"type": "null"}, captions]} for organ in organs})


def captions_schema(max_captions: int, max_characters: int) -> dict[str, Any]:
    """A list, under the key ``captions``, of organs with one caption each."""
    row = _object({"organ": _string(LONGEST_ORGAN), "caption": _string(max_characters)})
    return _object({"captions": _list(row, 0, max_captions)})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(items: dict[str, Any], least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _string(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}
