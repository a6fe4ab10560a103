"""Reads a YAML file as plain values, and says what is wrong with it in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from reprlib import Repr
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

NonEmptyText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

MOST_VALUES = 1_000_000
"""Values of a file: the largest vocabulary has some 20,000."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_EXPECTED = {
    "string_type": "is not text; put it in quotes",
    "string_too_short": "is empty",
    "tuple_type": "is not a list",
    "list_type": "is not a list",
    "dict_type": "is not a set of keys and values",
    "model_type": "is not a set of keys and values",
}


class FileSection(BaseModel):
    """Base class of the parts of a file: an unknown key is an error, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldError(ValueError):
    """Raised for a field that cannot be used; the message says where it is, its value, and what was expected."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field}: {_SHORT.repr(value)} {expected}")


def load_mapping(source: bytes) -> dict[str, Any]:
    """Return the keys and values of a YAML document.

    Raises FieldError where it is not YAML, not a mapping, or has a key twice.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(source)
    try:
        root = loader.get_single_node()
        check_size(root)
        _refuse_repeated_keys(root, set())
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


def check_size(root: yaml.Node | None) -> None:
    """Check how many values a YAML document has once its aliases (``*name``) are written out.

    Each line of a few bytes may name the one before it ten times; twenty of them are more than any memory holds.

    Raises FieldError for more than ``MOST_VALUES``, or for an alias that stands within what it names.
    """
    sizes: dict[int, int] = {}

    def size_of(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = MOST_VALUES + 1  # of what holds itself
            children = node.value if isinstance(node, yaml.CollectionNode) else ()
            parts = (part for child in children for part in (child if isinstance(child, tuple) else (child,)))
            sizes[id(node)] = min(1 + sum(map(size_of, parts)), MOST_VALUES + 1)
        return sizes[id(node)]

    if root is not None and size_of(root) > MOST_VALUES:
        shown = f"{MOST_VALUES:,} values"
        raise FieldError("file", shown, "are the most, with its aliases (*name) written out; it has more")


def _refuse_repeated_keys(node: yaml.Node | None, seen: set[int]) -> None:
    """Raise FieldError for a key that stands twice: YAML would keep the last one and drop the other in silence."""
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
        _refuse_repeated_keys(child, seen)


def line_of(source: bytes, place: Sequence[str | int]) -> int | None:
    """Return the line, from 1, of a value of a YAML document, or of the nearest part that holds it.

    ``place`` are the keys and numbers (from 0) that lead to it. None for the whole document, and where it is no YAML.

    >>> line_of(b"a:\n  b: [x,\n    y]", ["a", "b", 1])
    3
    """
    try:
        node = yaml.compose(source, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    line = None
    for part in place:
        child: tuple[yaml.Node, yaml.Node] | None = None
        if isinstance(node, yaml.MappingNode):
            child = next((pair for pair in node.value if str(pair[0].value) == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = (node.value[part], node.value[part])
        if child is None:
            break
        line, node = child[0].start_mark.line + 1, child[1]
    return line


def first_problem(error: ValidationError, keys: Iterable[str]) -> FieldError:
    """Return the first problem that pydantic found. ``keys`` are those of the file, in case one is misspelt."""
    problem = error.errors()[0]
    parents, last = problem["loc"][:-1], "".join(map(str, problem["loc"][-1:]))
    value, field = problem["input"], _field_name(problem["loc"]) or "file"
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(last, keys, 1)
        hint = f"did you mean “{near[0]}”?" if near else f"keys are {', '.join(keys)}"
        return FieldError(_field_name(parents) or "file", last, f"is not a key here; {hint}")
    if problem["type"] == "missing":
        return FieldError(_field_name(parents) or "file", last, "is missing")
    return FieldError(field, value, _EXPECTED.get(problem["type"]) or problem["msg"].replace("Input should", "should"))


def _field_name(path: Iterable[int | str]) -> str:
    """Return where a field is, as "examples 1, report": items of lists count from 1."""
    name = ""
    for part in path:
        name += f" {part + 1}" if isinstance(part, int) else f"{', ' if name else ''}{part}"
    return name
