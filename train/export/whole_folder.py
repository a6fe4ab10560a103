"""A folder that an export writes: it is there as a whole or not at all, and replaced only where an export made it.

.NAME.tmp/.lock       one export at a time
.NAME.tmp/content     what is written, until it becomes OUT
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from curation.runtime.errors import InputError
from curation.runtime.files import named_in_errors, sync, temporary_name
from curation.runtime.locks import LockedError, locked
from curation.runtime.made_files import LOCK_FILE, MADE_FILES, MadeFiles


@contextmanager
def whole_folder(out: Path, kind: str, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder to write into, which becomes `out` when the block ends well.

    `kind` says what it is, such as "ONNX model". With `overwrite` an earlier one of the same kind is replaced, if it
    holds nothing but what an export wrote there.

    Raises InputError for a file, for a folder that is there without `overwrite`, or that holds anything else, and where
    another export is writing it.
    """
    check_replaceable(out, kind, overwrite=overwrite)
    work = temporary_name(out)
    with named_in_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    try:
        with locked(work / LOCK_FILE):
            content = work / "content"
            shutil.rmtree(content, ignore_errors=True)  # of an export that was killed
            try:
                with named_in_errors(content):
                    content.mkdir()
                    yield content
                    _list_files(content, kind)
                    check_replaceable(out, kind, overwrite=overwrite)
                    _put_in_place(content, out, work / "replaced")
            finally:
                shutil.rmtree(content, ignore_errors=True)
    except LockedError as error:
        raise InputError(f"another export ({error.holder}) is writing {out}: wait for it to end") from None
    shutil.rmtree(work, ignore_errors=True)


def check_replaceable(out: Path, kind: str, *, overwrite: bool) -> None:
    """Raise InputError where `out` cannot become a folder of this kind. An empty folder can."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir() or out.is_symlink():
        raise InputError(f"{out} is no folder; --out names the folder to write")
    made = MadeFiles(out, kind)
    if foreign := [path for path in _files(out) if path.relative_to(out).as_posix() not in made]:
        raise InputError(f"{foreign[0]} was not made by an export, and would be replaced: name another --out")
    if made.names() and not overwrite:
        raise InputError(f"{out} is there already: name another --out, or say --overwrite")


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if not path.is_dir() and path.name != MADE_FILES]


def _list_files(content: Path, kind: str) -> None:
    """Write the list of what the folder holds, and have all of it on disk."""
    names = [path.relative_to(content).as_posix() for path in sorted(content.rglob("*"))]
    # A folder that holds anything is taken only with a list of it.
    MadeFiles(content, kind, names).note(*names)
    for path in (*_files(content), content):
        sync(path)


def _put_in_place(content: Path, out: Path, replaced: Path) -> None:
    if out.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        out.replace(replaced)
    try:
        content.replace(out)
    except OSError:
        with suppress(OSError):
            replaced.replace(out)
        raise
    sync(out.parent)
    shutil.rmtree(replaced, ignore_errors=True)
