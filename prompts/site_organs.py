"""Adds a site's own names of organs, and organs of its own, to the vocabulary that ships with ovct (``--organs``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .entries import Entry, VocabularyError, complete_entries, parse_entries, read_entries
from .terms import write_out
from .vocabulary import ORGANS_FILE, Vocabulary, build_vocabulary, load_vocabulary
from .yaml_file import line_of

# What may be added to an entry of the shipped file; the rest of it says what the organ is.
NOUNS = ("terms", "narrower", "broader", "related")
BUILT = ("built_from", "narrower_from")
ADDED_FIELDS = (*NOUNS, "adjectives", "findings", "not_in", *BUILT)


def extend_vocabulary(source: bytes, file: str) -> Vocabulary:
    """Return the shipped vocabulary with the entries of a file of the same form.

    An entry of the name of a shipped organ adds names to it ("liver: {terms: [hepar]}"); any other is a new organ.

    Raises VocabularyError, whose message names the file, the line, the entry and the problem.
    """
    try:
        added = parse_entries(source)
        _check_added(added)
        return build_vocabulary(_merged(added))
    except VocabularyError as error:
        line = line_of(source, [re.split(r"[:,] ", str(error))[0]])
        raise VocabularyError(f"{file}{f', line {line}' if line else ''}: {error}") from error.__cause__


def added_names(source: bytes) -> Iterator[tuple[str, str]]:
    """Yield the entry and the text of each noun and adjective that a file adds, written out. Raises VocabularyError."""
    for name, entry in parse_entries(source).items():
        yield from ((name, text) for text in _written_names(name, entry) if text not in entry.findings)


def _written_names(name: str, entry: Entry) -> Iterator[str]:
    nouns = [pattern for field in NOUNS for pattern in getattr(entry, field)]
    for pattern in (name, *nouns, *entry.adjectives, *entry.findings):
        yield from write_out(name, pattern.removeprefix("+"))


def _check_added(added: Mapping[str, Entry]) -> None:
    """Raise VocabularyError for an entry that cannot stand beside the shipped ones."""
    if not added:
        raise VocabularyError("file: adds no organ and no name")
    shipped = load_vocabulary()
    for name, entry in added.items():
        for field in entry.model_fields_set:
            if not getattr(entry, field) and getattr(entry, field) is not False:
                raise VocabularyError(f"{name}: {_key(field)!r} is empty; leave it out")
        if name in shipped.organs:
            _check_addition(name, entry)
        else:
            meant = shipped.resolve(name)
            if meant is not None:
                raise VocabularyError(
                    f"{name}: is a name of {meant!r} already; write the entry {meant!r} to add names to it"
                )
        for text in _written_names(name, entry):
            organs = _organs_of(text, shipped)
            if organs is not None and name not in organs:
                raise VocabularyError(f"{name}: {text!r} {_stands_for(organs)}; leave it out")


def _organs_of(text: str, shipped: Vocabulary) -> tuple[str, ...] | None:
    """Return the shipped organs that a whole text names, also in another writing; None where it names none."""
    organs = shipped.names_of(text)
    mentions = shipped.find(text) if organs is None else []
    if len(mentions) == 1 and len(mentions[0].text) == len(text):
        return mentions[0].names
    return organs


def _check_addition(name: str, entry: Entry) -> None:
    """Raise VocabularyError where an entry would change what a shipped organ is, or adds nothing to it."""
    foreign = sorted(entry.model_fields_set - set(ADDED_FIELDS))
    if foreign:
        keys = ", ".join(map(_key, ADDED_FIELDS))
        raise VocabularyError(
            f"{name}: {_key(foreign[0])!r} of an organ that ships with ovct stays as it is; {keys} can be added to it"
        )
    if not entry.model_fields_set:
        raise VocabularyError(f"{name}: adds nothing to the organ of that name, which ships with ovct")


def _stands_for(organs: tuple[str, ...]) -> str:
    if not organs:
        return "is kept apart as a phrase about no organ"
    return f"is a name of {' and '.join(map(repr, organs))} already"


def _merged(added: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the shipped entries with what is added to them, and the new ones behind them."""
    entries = read_entries(ORGANS_FILE)
    for name, entry in added.items():
        before = entries.get(name)
        entries[name] = entry if before is None else _with_names(before, entry)
    return complete_entries(entries)


def _with_names(entry: Entry, added: Entry) -> Entry:
    changes: dict[str, Any] = {
        field: (*getattr(entry, field), *getattr(added, field)) for field in ADDED_FIELDS if field not in BUILT
    }
    for field in BUILT:
        built = dict(getattr(entry, field))
        for other, patterns in getattr(added, field).items():
            built[other] = (*built.get(other, ()), *patterns)
        changes[field] = built
    return entry.model_copy(update=changes)


def _key(field: str) -> str:
    """Return the key of a field in the file."""
    return "from" if field == "built_from" else field
