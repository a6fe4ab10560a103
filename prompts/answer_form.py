"""JSON schemas of a model's answers, made of what every server understands, and how an example answer is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

LONGEST_ORGAN = 60
"""The most characters of an organ's name, where a model writes it itself."""
LONGEST_QUOTE = 600
"""The most characters of a quote: one that is a whole report shows nothing."""


def organs_schema(organs: Iterable[str], max_captions: int, max_characters: int) -> dict[str, Any]:
    """Return the schema of an object with every organ as a key: null, or a list of captions."""
    captions = _list(_string(max_characters), 1, max_captions)
    return object_schema({organ: {"anyOf": [{"type": "null"}, captions]} for organ in organs})


def captions_schema(max_captions: int, max_characters: int, quotes: bool | int = False) -> dict[str, Any]:
    """Return the schema of a list, under the key ``captions``, of organs with one caption each.

    With ``quotes`` the passage that a caption is made from comes before it, so that it is made from that; with a number
    that is a list of up to so many passages.
    """
    quote = {quote_key(quotes): _string(LONGEST_QUOTE)} if quotes else {}
    if quotes and quotes is not True:
        quote = {quote_key(quotes): _list(_string(LONGEST_QUOTE), 1, quotes)}
    row = object_schema({"organ": _string(LONGEST_ORGAN), **quote, "caption": _string(max_characters)})
    return object_schema({"captions": _list(row, 0, max_captions)})


def quote_key(quotes: bool | int) -> str:
    """Return the key that passages stand under in an answer: ``quote`` where there is one, ``quotes`` of a list."""
    return "quote" if quotes is True else "quotes"


def object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all of these properties and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def compact_json(answer: dict[str, Any]) -> str:
    """Return an answer as JSON without spaces: constrained decoding writes it so, and it saves tokens."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def _list(items: dict[str, Any], min_items: int, max_items: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": min_items, "maxItems": max_items}


def _string(max_length: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": max_length}
