"""The vocabulary file: what an entry may hold, and the checks between entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class VocabularyError(ValueError):
    """A vocabulary file that cannot be used; the message names the file, the entry and what is wrong with it."""

    exit_code = 2


class Entry(BaseModel):
    """One entry of the file, whose header says what each key means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parents: tuple[_Text, ...] = ()
    side: Side | None = None
    sides: tuple[_Text, _Text] | None = None
    region: bool = False
    part_of: _Text | None = None
    totalsegmentator: tuple[_Text, ...] = ()
    totalsegmentator_v1: tuple[_Text, ...] | None = None
    snomed: Annotated[str, StringConstraints(pattern=r"^\d{6,18}$")] | None = None
    terms: tuple[_Text, ...] = ()
    adjectives: tuple[_Text, ...] = ()
    findings: tuple[_Text, ...] = ()
    not_in: tuple[_Text, ...] = ()
    built_from: dict[_Text, tuple[_Text, ...]] = Field(default_factory=dict, alias="from")


_FILE = TypeAdapter(dict[_Text, Entry])


def read_entries(path: Path) -> dict[str, Entry]:
    """Read and check a vocabulary file. Raises VocabularyError, whose message does not name the file yet."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open("rb") as stream:
            reader = loader(stream)
            root = reader.get_single_node()
            _no_name_twice(root)
            entries = _FILE.validate_python(reader.construct_document(root) if root else None)
    except OSError as error:
        raise VocabularyError(f"cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise VocabularyError(f"is not YAML ({' '.join(str(error).split())})") from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = ": ".join(str(part) for part in problem["loc"]) or "file"
        raise VocabularyError(f"{place}: {problem['msg']}") from error
    _add_sides(entries)
    _check(entries)
    return entries


def _no_name_twice(root: yaml.Node | None) -> None:
    """YAML keeps the last of two equal keys and drops the other in silence."""
    if isinstance(root, yaml.MappingNode):
        for name, count in Counter(key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)).items():
            if count > 1:
                raise VocabularyError(f"{name}: stands {count} times")


def _add_sides(entries: dict[str, Entry]) -> None:
    """Add the sides that are not written out: all there is to say about them is their group."""
    for name, entry in list(entries.items()):
        for side, other in zip(SIDES, entry.sides or (), strict=False):
            if other not in entries:
                whole = entries[entry.part_of].sides if entry.part_of in entries else None
                entries[other] = Entry(
                    parents=(name,),
                    side=side,
                    region=entry.region,
                    part_of=whole[SIDES.index(side)] if whole else entry.part_of,
                    snomed=entry.snomed,
                )


def _check(entries: Mapping[str, Entry]) -> None:
    """Check what entries say about each other: all of them exist, no cycles, sides and their group agree."""
    for name, entry in entries.items():
        whole = (entry.part_of,) if entry.part_of else ()
        for other in (*entry.parents, *(entry.sides or ()), *entry.built_from, *whole):
            if other not in entries:
                raise VocabularyError(f"{name}: unknown entry {other!r}")
        for side, other in zip(SIDES, entry.sides or (), strict=False):
            if entries[other].side != side or name not in entries[other].parents:
                raise VocabularyError(f"{name}: {other!r} must have side: {side} and the parent {name!r}")
        for parent in entry.parents:
            if entry.side and entries[parent].sides and name not in (entries[parent].sides or ()):
                raise VocabularyError(f"{name}: has a side, but is none of the sides of its parent {parent!r}")
    closure({name: entry.parents for name, entry in entries.items()})


def closure(parents: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Give all ancestors of each name. Raises VocabularyError where a name is its own ancestor."""
    done: dict[str, frozenset[str]] = {}

    def climb(name: str, path: tuple[str, ...]) -> frozenset[str]:
        if name in path:
            raise VocabularyError(f"{name}: is its own ancestor ({' > '.join((*path[path.index(name) :], name))})")
        if name not in done:
            above = [climb(parent, (*path, name)) | {parent} for parent in parents[name]]
            done[name] = frozenset().union(*above)
        return done[name]

    for name in parents:
        climb(name, ())
    return done
