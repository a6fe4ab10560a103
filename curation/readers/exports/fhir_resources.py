"""Read FHIR resources from JSON: one, a Bundle, a list, or one on each line (bulk export), holding one at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from curation.runtime.errors import InputError

from ..decoding import PIECE_CHARACTERS, ByteStream, FileHead, read_pieces
from ..json_rows import WHITE, JsonCursor, elements_of, has_object_per_line, keys_of, looks_like_json, whole_lines
from ..rows import DamagedError, NoteProblem

TOKEN = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"|[{}\[\]:,]')
# Where a resource may stand: alone or in a list, as the entry of a Bundle, or as such an entry taken out of it.
RESOURCE_PATHS: tuple[list[str], ...] = ([], ["resource"], ["entry", "resource"])


@dataclass(frozen=True, slots=True)
class FhirResource:
    """A resource of a file, the ``number``-th from 1, with the URL that it has in its Bundle."""

    number: int
    place: str
    full_url: str
    content: dict[str, object]

    @property
    def kind(self) -> str:
        """The name of the resource, such as DiagnosticReport."""
        return text_at(self.content, "resourceType")


def text_at(content: object, *path: str | int) -> str:
    """Return the text at a path of keys and places in lists, "" where there is none.

    >>> text_at({"code": {"coding": [{"display": "CT"}]}}, "code", "coding", 0, "display")
    'CT'
    """
    for step in path:
        if isinstance(content, dict) and isinstance(step, str):
            content = content.get(step)
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
        else:
            return ""
    return content.strip() if isinstance(content, str) else ""


def objects_at(content: object, key: str) -> list[dict[str, object]]:
    """Return the objects in the list at a key, or the one object that stands there."""
    value = content.get(key) if isinstance(content, dict) else None
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, dict)]


def looks_like_fhir(head: FileHead) -> bool:
    """Return whether a file begins with a resource, or with a Bundle or a list of them."""
    if not looks_like_json(head.text) or "resourceType" not in head.text:
        return False
    keys: list[str] = []  # the key that each open object or list stands at
    key, names_follow = "", False
    for token in TOKEN.finditer(head.text):
        mark = token[0][0]
        if mark in "{[":
            keys.append(key)
            key, names_follow = "", mark == "{"
        elif mark in "}]":
            if keys:
                keys.pop()
            key, names_follow = "", False
        elif mark == ",":
            key, names_follow = "", True
        elif mark == ":":
            names_follow = False
        elif names_follow:
            key = token["text"]
        elif key == "resourceType" and [step for step in keys if step] in RESOURCE_PATHS:
            return True
    return False


def read_resources(stream: ByteStream, path: Path, note: NoteProblem) -> Iterator[FhirResource]:
    """Yield the resources of a file; what is no JSON or no resource is noted, with its place."""
    pieces = read_pieces(stream, PIECE_CHARACTERS)
    number, line = 0, ""
    try:
        ahead = list(islice((piece for piece in pieces if piece.strip(WHITE)), 2))
        pieces = chain(ahead, pieces)
        if ahead and has_object_per_line(ahead, path):
            values, line = _lines(pieces, note), "line "
        else:
            values = ((0, value) for value in _documents(JsonCursor(pieces)))
        for line_number, value in values:
            for full_url, content in _unwrapped(value):
                number = line_number or number + 1
                place = f"{line or 'entry '}{number}"
                if isinstance(content, dict) and text_at(content, "resourceType"):
                    yield FhirResource(number, place, full_url, content)
                else:
                    note(number, f"{place}: no resource, which would be an object with a resourceType")
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        place = f"entry {number + 1}"
        note(number + 1, f"{place}: not JSON ({error}); it and what is behind it is lost, the file may be cut off")
    except DamagedError as error:
        place = f"{line or 'entry '}{number + 1}"
        note(number + 1, f"{place}: {error}; it and what is behind it is lost, fetch the file again")


def _lines(pieces: Iterator[str], note: NoteProblem) -> Iterator[tuple[int, object]]:
    """Yield the value of each line with the line's number, blank ones not counted."""
    for number, line in enumerate(whole_lines(pieces), 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            note(number, f"line {number}: not JSON ({error}): {line[:60]}")
            continue
        yield number, value


def _documents(cursor: JsonCursor) -> Iterator[object]:
    """Yield the values of a document: of a list or a Bundle each entry as soon as it is read."""
    while cursor.peek():
        if cursor.skip("["):
            yield from elements_of(cursor)
        elif cursor.skip("{"):
            yield from _entries(cursor)
        else:
            yield cursor.read_value()


def _entries(cursor: JsonCursor) -> Iterator[object]:
    members: dict[str, object] = {}
    is_bundle = False
    for key in keys_of(cursor):
        if key == "entry" and cursor.skip("["):
            is_bundle = True
            yield from elements_of(cursor)
        else:
            members[key] = cursor.read_value()
    if not is_bundle and members.get("resourceType") != "Bundle":
        yield members


def _unwrapped(value: object) -> Iterator[tuple[str, object]]:
    """Yield the resources in a value, with their URLs: those of a Bundle, that of an entry, or itself."""
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        for entry in objects_at(value, "entry"):
            yield from _unwrapped(entry)
    elif isinstance(value, dict) and isinstance(value.get("resource"), dict):
        url = text_at(value, "fullUrl")
        yield from ((inner_url or url, content) for inner_url, content in _unwrapped(value["resource"]))
    elif not (isinstance(value, dict) and "resourceType" not in value and "request" in value):
        yield "", value
