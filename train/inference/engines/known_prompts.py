"""What a checkpoint or an engine knows, without running it: structures with their names, and groups of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from models.checkpoint import read_record
from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import StructurePrompts
from train.inference.errors import SegmentError
from train.inference.prompts import SegmentPrompt

from .class_names import ClassNames
from .class_network import pretrained_labels, published_labels
from .heads import SOURCE
from .totalsegmentator import SOURCE as TOTALSEGMENTATOR
from .totalsegmentator import class_ids, package_version

MOST_SHOWN = 3


class KnownStructure(BaseModel):
    """A structure: its label, the name that it is asked by, and other names that mean the same."""

    model_config = ConfigDict(frozen=True)

    label: str
    name: str
    other_names: tuple[str, ...]


class KnownGroup(BaseModel):
    """Several structures under one name. `missing` are parts of it, by name, that are not among the structures."""

    model_config = ConfigDict(frozen=True)

    name: str
    members: tuple[str, ...]
    missing: tuple[str, ...]
    other_names: tuple[str, ...]


class KnownPrompts(BaseModel):
    """What may be asked of a source.

    `kind` is `classes` where nothing else has a mask, `text` where a text-driven model takes any words, and these are
    what it was trained on; `structures` is empty where a checkpoint does not record that.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    kind: Literal["classes", "text"]
    structures: tuple[KnownStructure, ...]
    groups: tuple[KnownGroup, ...]

    def prompts(self) -> list[SegmentPrompt]:
        """Return a prompt for each structure; the 117 of TotalSegmentator v2 where the source does not say."""
        if self.structures:
            return [SegmentPrompt(structure.label, structure.name) for structure in self.structures]
        vocabulary = load_vocabulary()
        return [SegmentPrompt(label, vocabulary.resolve(label) or label.replace("_", " ")) for label in V2_STRUCTURES]


def known_prompts(engine: str, checkpoint: Path | None) -> KnownPrompts:
    """Return what an engine, with its checkpoint, knows. Raises SegmentError, CheckpointError, WeightsFileError."""
    if engine == "totalsegmentator":
        return _of_classes(f"{TOTALSEGMENTATOR} {package_version()}", tuple(class_ids()), TOTALSEGMENTATOR)
    assert checkpoint is not None
    if checkpoint.is_file():
        return _of_classes(str(checkpoint), published_labels(checkpoint)[1:], SOURCE)
    record = read_record(checkpoint)
    if record.kind == "stunet":
        return _of_classes(str(checkpoint), pretrained_labels(checkpoint)[1:], SOURCE)
    if record.kind != "segmenter":
        raise SegmentError(f"{checkpoint} has no decoder yet, and so segments nothing: `ovct train segment` is next")
    return _of_training(str(checkpoint), StructurePrompts.from_training_record(record.trained_on))


def printable_prompts(known: KnownPrompts) -> Iterator[Table | str]:
    """Yield tables for a terminal: structures, then groups, each with a few of its other names; and what else holds."""
    if not known.structures:
        yield f"{known.source} does not record what it was trained on; any words may be asked"
        return
    yield _table(
        ("name", "label", "other names"),
        [(row.name, row.label, _some(row.other_names)) for row in known.structures],
    )
    yield _table(
        ("group", "of", "other names"),
        [
            (
                row.name,
                _some(row.members) + (f"; without {_some(row.missing)}" if row.missing else ""),
                _some(row.other_names),
            )
            for row in known.groups
        ],
    )
    if known.kind == "text":
        yield "These were trained. Other words are asked as they stand, and their masks may be of anything"
    else:
        yield "Nothing else has a mask here. --json has all other names"


def _of_classes(source: str, labels: Sequence[str], called: str) -> KnownPrompts:
    classes = ClassNames(labels, called)
    structures = [
        KnownStructure(label=label, name=name, other_names=classes.synonyms(name))
        for label, name in classes.names.items()
    ]
    groups = [
        KnownGroup(name=name, members=union.names, missing=union.missing, other_names=classes.synonyms(name))
        for name, union in classes.unions()
    ]
    return KnownPrompts(source=source, kind="classes", structures=tuple(structures), groups=tuple(groups))


def _of_training(source: str, prompts: StructurePrompts | None) -> KnownPrompts:
    if prompts is None:
        return KnownPrompts(source=source, kind="text", structures=(), groups=())
    structures = [
        KnownStructure(label=label, name=name, other_names=_others(name, label, prompts.trained, prompts.held_out))
        for label, name in prompts.names.items()
    ]
    groups = [
        KnownGroup(
            name=group.name,
            members=tuple(prompts.names[member] for member in group.members),
            missing=(),
            other_names=_others(group.name, group.name, prompts.group_prompts),
        )
        for group in prompts.groups
    ]
    return KnownPrompts(source=source, kind="text", structures=tuple(structures), groups=tuple(groups))


def _others(name: str, key: str, *prompts: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    texts = [text for by_key in prompts for text in by_key.get(key, ())]
    return tuple(text for text in dict.fromkeys(texts) if text != name)


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _some(names: Sequence[str]) -> str:
    more = f", {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more
