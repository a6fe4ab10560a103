"""A YAML file of ours as plain values, and what is wrong with one in words for whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

import yaml
from pydantic import ValidationError

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_EXPECTED = {
    "string_type": "is not text; put it in quotes",
    "string_too_short": "is empty",
    "tuple_type": "is not a list",
    "model_type": "is not a set of keys and values",
}


class FieldError(ValueError):
    """A field of a file that cannot be used: where it is, its value, and what was expected of it."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field}: {_SHORT.repr(value)} {expected}")


def load_mapping(source: bytes) -> dict[str, Any]:
    """The keys and values of a YAML document. Raises FieldError, also where a key stands twice."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(source)
    try:
        root = loader.get_single_node()
        _no_key_twice(root, set())
        content = loader.construct_document(root) if root else None
    except FieldError:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FieldError(
            "file", source[:80].decode(errors="replace"), f"is not YAML ({' '.join(str(error).split())})"
        ) from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise FieldError("file", content, "is not a set of keys and values")
    return content


def _no_key_twice(node: yaml.Node | None, seen: set[int]) -> None:
    """YAML keeps the last of two equal keys and drops the other in silence."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    seen.add(id(node))
    keys: set[str] = set()
    for child in node.value:
        if isinstance(node, yaml.MappingNode):
            key, child = child
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                raise FieldError(key.value, f"line {key.start_mark.line + 1}", "is a second value; leave one out")
            keys.add(str(key.value))
        _no_key_twice(child, seen)


def first_problem(error: ValidationError, keys: Iterable[str]) -> FieldError:
    """The first problem that pydantic found. ``keys`` are those of the file, in case one is misspelt."""
    problem = error.errors()[0]
    *around, last = problem["loc"]
    value, place = problem["input"], _place(problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(str(last), keys, 1)
        hint = f"did you mean “{near[0]}”?" if near else f"keys are {', '.join(keys)}"
        return FieldError(_place(around) or "file", str(last), f"is not a key here; {hint}")
    if problem["type"] == "missing":
        return FieldError(_place(around) or "file", str(last), "is missing")
    return FieldError(place, value, _EXPECTED.get(problem["type"]) or problem["msg"].replace("Input should", "should"))


def _place(parts: Iterable[int | str]) -> str:
    """Where a field is; places in lists count from 1."""
    place = ""
    for part in parts:
        place += f" {part + 1}" if isinstance(part, int) else f"{', ' if place else ''}{part}"
    return place
