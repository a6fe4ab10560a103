"""Reads the entries of the vocabulary file, and checks each of them and what they say about each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from .yaml_file import FieldError, FileSection, NonEmptyText, check_size, first_problem

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")


class VocabularyError(ValueError):
    """Raised for a vocabulary file that cannot be used; the message names the file, the entry and the problem."""

    exit_code = 2


class Entry(FileSection):
    """One entry of the file, whose header says what each key means."""

    parents: tuple[NonEmptyText, ...] = ()
    side: Side | None = None
    sides: tuple[NonEmptyText, NonEmptyText] | None = None
    region: bool = False
    part_of: NonEmptyText | None = None
    totalsegmentator: tuple[NonEmptyText, ...] = ()
    totalsegmentator_v1: tuple[NonEmptyText, ...] | None = None
    snomed: Annotated[str, StringConstraints(pattern=r"^\d{6,18}$")] | None = None
    terms: tuple[NonEmptyText, ...] = ()
    adjectives: tuple[NonEmptyText, ...] = ()
    findings: tuple[NonEmptyText, ...] = ()
    narrower: tuple[NonEmptyText, ...] = ()
    broader: tuple[NonEmptyText, ...] = ()
    related: tuple[NonEmptyText, ...] = ()
    not_in: tuple[NonEmptyText, ...] = ()
    part_words: tuple[NonEmptyText, ...] = ()
    cause_words: tuple[NonEmptyText, ...] = ()
    beside: dict[NonEmptyText, tuple[NonEmptyText, ...]] = Field(default_factory=dict)
    around: NonEmptyText | None = None
    lies_in: tuple[NonEmptyText, ...] = ()
    built_from: dict[NonEmptyText, tuple[NonEmptyText, ...]] = Field(default_factory=dict, alias="from")
    narrower_from: dict[NonEmptyText, tuple[NonEmptyText, ...]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ, structure, region, group or device.

    ``totalsegmentator`` and ``totalsegmentator_v1`` are the classes that are this organ itself, not its parts.
    ``terms`` are its synonyms, the canonical name first. ``narrower``, ``broader`` and ``related`` are nouns that
    reports use for a part of it, for a group that it is in, and for a neighbour; they are no synonyms. ``adjectives``
    stand before another noun ("renal cyst"); ``findings`` name it together with what it has ("mediastinal
    lymphadenopathy"). ``sides`` is (left, right), on a group. ``region`` marks a place or scope ("upper abdomen",
    "perihepatic space") rather than an organ. ``part_of`` is the organ under which captions about a part of it are
    filed ("left lung base": left lung), ``around`` the organ around which a place lies ("perinephric space": kidneys),
    ``lies_in`` the organs that a device lies in. ``part_words``, ``cause_words`` and ``beside`` tell what decides about
    a term with several senses, as the header of the file says.
    """

    name: str
    totalsegmentator: tuple[str, ...]
    totalsegmentator_v1: tuple[str, ...]
    snomed: str | None
    parents: tuple[str, ...]
    terms: tuple[str, ...]
    narrower: tuple[str, ...]
    broader: tuple[str, ...]
    related: tuple[str, ...]
    adjectives: tuple[str, ...]
    findings: tuple[str, ...]
    side: Side | None
    sides: tuple[str, str] | None
    region: bool
    part_of: str | None
    around: str | None
    lies_in: tuple[str, ...]
    part_words: tuple[str, ...]
    cause_words: tuple[str, ...]
    beside: Mapping[str, tuple[str, ...]]

    @property
    def nouns(self) -> tuple[str, ...]:
        """Return all nouns that reports use for it or for what lies in and around it, synonyms first."""
        return (*self.terms, *self.narrower, *self.broader, *self.related)


_KEYS = ["from" if name == "built_from" else name for name in Entry.model_fields]
_FILE = TypeAdapter(dict[NonEmptyText, Entry])


def read_entries(path: Path) -> dict[str, Entry]:
    """Read and check a vocabulary file. Raises VocabularyError, whose message does not name the file yet."""
    try:
        source = path.read_bytes()
    except OSError as error:
        raise VocabularyError(f"cannot be read ({error.strerror})") from error
    return complete_entries(parse_entries(source))


def parse_entries(source: bytes) -> dict[str, Entry]:
    """Return the entries of a vocabulary file as they are written. Raises VocabularyError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        reader = loader(source)
        root = reader.get_single_node()
        check_size(root)
        _refuse_repeated_names(root)
        return _FILE.validate_python(reader.construct_document(root) if root else None)
    except FieldError as error:
        raise VocabularyError(str(error)) from error
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise VocabularyError(f"is not YAML ({' '.join(str(error).split())})") from error
    except ValidationError as error:
        raise VocabularyError(str(first_problem(error, _KEYS))) from error


def complete_entries(entries: dict[str, Entry]) -> dict[str, Entry]:
    """Return the entries with those of the sides that are not written out, checked against each other.

    Raises VocabularyError.
    """
    entries = dict(entries)
    _add_sides(entries)
    _check(entries)
    return entries


def _refuse_repeated_names(root: yaml.Node | None) -> None:
    """Raise VocabularyError for an entry that stands twice: YAML would keep the last one and drop the other."""
    if isinstance(root, yaml.MappingNode):
        for name, count in Counter(key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)).items():
            if count > 1:
                raise VocabularyError(f"{name}: stands {count} times")


def _add_sides(entries: dict[str, Entry]) -> None:
    """Add the entries of a group's sides that are not written out: all that is known of them comes from the group."""
    for name, entry in list(entries.items()):
        for side, side_name in zip(SIDES, entry.sides or (), strict=False):
            if side_name not in entries:
                whole_sides = entries[entry.part_of].sides if entry.part_of in entries else None
                entries[side_name] = Entry(
                    parents=(name,),
                    side=side,
                    region=entry.region,
                    part_of=whole_sides[SIDES.index(side)] if whole_sides else entry.part_of,
                    around=_on_side(entries, entry.around, side),
                    lies_in=tuple(_on_side(entries, organ, side) or organ for organ in entry.lies_in),
                    snomed=entry.snomed,
                )


def _on_side(entries: Mapping[str, Entry], name: str | None, side: Side) -> str | None:
    """Return the side of a group of two, or the name itself where it is none."""
    sides = entries[name].sides if name and name in entries else None
    return sides[SIDES.index(side)] if sides else name


def _check(entries: Mapping[str, Entry]) -> None:
    """Check what entries say about each other: all of them exist, no cycles, sides and their group agree."""
    for name, entry in entries.items():
        others = tuple(other for other in (entry.part_of, entry.around) if other)
        for reference in (
            *entry.parents,
            *(entry.sides or ()),
            *entry.built_from,
            *entry.narrower_from,
            *entry.lies_in,
            *others,
        ):
            if reference not in entries:
                near = get_close_matches(reference, entries, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise VocabularyError(f"{name}: unknown entry {reference!r}{hint}")
        for side, side_name in zip(SIDES, entry.sides or (), strict=False):
            if entries[side_name].side != side or name not in entries[side_name].parents:
                raise VocabularyError(f"{name}: {side_name!r} must have side: {side} and the parent {name!r}")
        for parent in entry.parents:
            if entry.side and entries[parent].sides and name not in (entries[parent].sides or ()):
                raise VocabularyError(f"{name}: has a side, but is none of the sides of its parent {parent!r}")
    closure({name: entry.parents for name, entry in entries.items()})


def closure(parents: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Return all ancestors of each name. Raises VocabularyError where a name is its own ancestor."""
    ancestors: dict[str, frozenset[str]] = {}

    def climb(name: str, path: tuple[str, ...]) -> frozenset[str]:
        if name in path:
            raise VocabularyError(f"{name}: is its own ancestor ({' > '.join((*path[path.index(name) :], name))})")
        if name not in ancestors:
            of_parents = [climb(parent, (*path, name)) | {parent} for parent in parents[name]]
            ancestors[name] = frozenset().union(*of_parents)
        return ancestors[name]

    for name in parents:
        climb(name, ())
    return ancestors
