"""The files of a caption set: names, which of them belong to which part, and removal of files that belong to none.

A part is one file in each of the set's tables, with the same number; see ``shards`` for how one is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, Protocol

from curation.runtime.digests import do_nothing
from curation.runtime.files import TEMPORARY_SUFFIX, temporary_name

from .manifest import FILE_NAME, CurationSettings

TableName = Literal["reports", "captions", "rejects", "responses"]
TABLES: tuple[TableName, ...] = ("reports", "captions", "rejects", "responses")

CARD_FILE = "README.md"
SKIPPED_FILE = "skipped.jsonl"
PLOT_FILE = "captions.png"
PROMPT_FILE = "prompt.yaml"
SITE_LEXICON_FILE = "site_lexicon.yaml"
SITE_ORGANS_FILE = "site_organs.yaml"
# The files that the caller named and the set keeps, and the list of problem rows: copies of a set have them too.
KEPT_FILES = (PROMPT_FILE, SITE_LEXICON_FILE, SITE_ORGANS_FILE, SKIPPED_FILE)
DERIVED_FILES = (CARD_FILE, PLOT_FILE)
"""What people read and may put in their own words; nothing is read from it."""
# What a set has beside its manifest and its parts.
FILES_BESIDE_PARTS = (CARD_FILE, PLOT_FILE, *KEPT_FILES)

# The folder for files of an unfinished run, and the language model's answers in it.
WORK_FOLDER = ".work"
RESPONSES_FILE = "responses.sqlite"
# What was sent to a server in batches, and is paid for.
BATCHES_FILE = "batches.sqlite"

PART_FILE = re.compile(r"part-(\d{5,})\.parquet")
TEMPORARY_PART = re.compile(rf"\.part-\d{{5,}}\.parquet{re.escape(TEMPORARY_SUFFIX)}")


def tables_of(settings: CurationSettings) -> tuple[TableName, ...]:
    """Return the tables of a set with these settings: only one by a language model has ``responses``."""
    return TABLES if settings.prompt else TABLES[:-1]


def part_path(root: Path, table: str, index: int) -> Path:
    """Return the path of a part's file in one table; parts are numbered from 0."""
    return root / table / f"part-{index:05d}.parquet"


def part_number(name: str) -> int | None:
    """Return the number of the part that a file belongs to, by its path below the set's folder; None if to no part."""
    table, _, file_name = name.partition("/")
    match = PART_FILE.fullmatch(file_name) if table in TABLES else None
    return int(match[1]) if match else None


def remove_leftovers(root: Path, parts: int, check: Callable[[], None] = do_nothing) -> None:
    """Remove files of parts that the manifest, which names ``parts`` of them, does not name; without any, the rest.

    ``check`` is called before each and may raise, where the folder is not this run's any more.
    """
    remove_temporary_files(root, check)
    for table in TABLES:
        for path in (root / table).glob("part-*"):
            number = part_number(f"{table}/{path.name}")
            if number is not None and number >= parts:
                check()
                path.unlink()
    if not parts:
        for name in FILES_BESIDE_PARTS:
            check()
            (root / name).unlink(missing_ok=True)


def temporary_files(root: Path) -> list[Path]:
    """Return the files of parts, and of others of ours, that were never finished."""
    others = (temporary_name(root / name) for name in (FILE_NAME, *FILES_BESIDE_PARTS))
    parts = (path for table in TABLES for path in (root / table).glob(f".part-*{TEMPORARY_SUFFIX}"))
    return [path for path in others if path.exists()] + [path for path in parts if TEMPORARY_PART.fullmatch(path.name)]


def remove_temporary_files(root: Path, check: Callable[[], None] = do_nothing) -> None:
    """Remove the files of parts and others of ours that were never finished; ``check`` as in ``remove_leftovers``."""
    for path in temporary_files(root):
        check()
        path.unlink()


class SetPublisher(Protocol):
    """Puts the files of a caption set into a store while it is written.

    ``publishing.StorePublisher`` is one and says what each method does.
    """

    @property
    def shown(self) -> str: ...
    def put_part(self, index: int, tables: Iterable[TableName]) -> None: ...
    def drop_part(self, index: int, tables: Iterable[TableName]) -> None: ...
    def put_file(self, path: Path) -> None: ...
    def put_manifest(self) -> None: ...
    def remove_leftovers(self, parts: int) -> None: ...
    def size_of(self, path: Path) -> int | None: ...
    def changed_file(self, digests: Mapping[Path, str], tell: Callable[[str], None]) -> Path | None: ...
