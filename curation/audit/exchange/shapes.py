"""Reads JSON of other programs: what a file must hold, and one reviewer's name for each person in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from curation.runtime.errors import InputError


def json_list(path: Path, what: str) -> list[Any]:
    """Return the list in a JSON file. Raises ``InputError`` for a file that cannot be read, or holds something else."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name {what}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON ({error}): name {what}") from None
    if not isinstance(content, list):
        raise InputError(f"{path} holds a {type(content).__name__} and no list: name {what}")
    return content


def reviewer_names(people: Iterable[str], given: Sequence[str]) -> dict[str, str]:
    """Return the name of the reviewer for each person, as ``--reviewer NAME`` or ``--reviewer PERSON=NAME`` says.

    Without one the person's own name is taken. Raises ``InputError`` for a person who is not in the file, for one name
    of several people, and for a name without a person where there are several.
    """
    found = list(dict.fromkeys(people))
    names = {person: person for person in found}
    for option in given:
        person, equals, name = option.partition("=")
        if not equals:
            if len(found) > 1:
                raise InputError(
                    f"--reviewer {option}: {', '.join(found)} have annotated; say whose name it is, "
                    f"--reviewer '{found[0]}={option}', and that of the others"
                )
            person, name = found[0] if found else "", option
        if found and person not in names:
            raise InputError(
                f"--reviewer {option}: nobody is called {person!r} in the file; there are {', '.join(found)}"
            )
        if not name.strip():
            raise InputError(f"--reviewer {option}: the name is empty")
        if person:
            names[person] = name.strip()
    shared = next((name for name in names.values() if list(names.values()).count(name) > 1), None)
    if shared is not None:
        raise InputError(f"--reviewer: {shared!r} would be the name of several people; give each their own")
    return names


def text_of(value: object) -> str:
    """Return a text, "" for anything else."""
    return value if isinstance(value, str) else ""
