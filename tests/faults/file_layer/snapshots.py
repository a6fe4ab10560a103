"""What a run has written, so that two runs can be compared: the files of a folder without the times in them."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

from curation.runtime.made_files import MADE_FILES

# What a run writes differs in these: when, for how long, and for how much.
TIMES = re.compile(
    rb'"(?:created|started|finished|replayed|made|seconds|updated|begun|ended|written|seconds_per_step|at|applied)"'
    rb': ?"?[-+:.\w]*"?'
    rb"|(?:finished|verified again) \d{4}-[-+:.\w]*"  # in a card
    # What a model was asked: a run that ends in between may lose the counts of its last half second.
    rb"|- \*\*(?:The model was asked\*\*|Tokens:\*\*) .*"
)
TIMES_OF_ROWS = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+|\d{10,}(\.\d+)?")
# The digests of what has times in it, the state of the sources, and the names of earlier saves that may be removed.
DIGESTS = re.compile(
    rb'"(?:sha256|sha256_of_state|README\.md)": ?"[0-9a-f]{64}"|"commit": ?"[^"]*"|"replaced": ?\[[^]]*\]'
)
# Nobody reads these as a result: the log of TensorBoard has the time in its name.
IGNORED = re.compile(r"(^|/)tensorboard/|\.sqlite-(wal|shm|journal)$|\.lock$|/lock(\.lease)?$|/cache/")
NAMED_BY_CONTENT = re.compile(r"(^|/)(weights|text|state)-[0-9a-f]+")


def snapshot(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their names, without times in them."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not IGNORED.search(f"/{name}"):
            files[name] = _without_times(name, path.read_bytes())
            if path.name == MADE_FILES:
                files[name] = _there(path)
    return files


def _there(path: Path) -> bytes:
    """The names of a list of made files of which there is a file: those that a killed run has made stay on it."""
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line.endswith("}") and (path.parent / json.loads(line)["made"]).exists()]
    return "\n".join([first, *sorted(set(names))]).encode()


def _without_times(name: str, content: bytes) -> bytes:
    if name.endswith((".json", ".jsonl", ".html", ".md")):
        content = DIGESTS.sub(b"", TIMES.sub(b"", content))
    if name.endswith(".sqlite.sha256"):
        # "open" where the digest could not be written: the sums of rows are compared then.
        content = b"" if len(content) == 65 or content == b"open\n" else content
    if name.endswith(".sqlite"):
        content = _rows(content)
    return content


def _rows(content: bytes) -> bytes:
    """What a database holds, a line for each row, whatever its pages look like; times are left out."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        try:
            database.deserialize(content[:18] + b"\x01\x01" + content[20:])  # not write-ahead: that needs a file
            query = (
                "select name from sqlite_master where type = 'table' and name != 'checksum'"  # sums of rows with times
            )
            tables = [name for (name,) in database.execute(query)]
            rows = [f"{name} {row!r}" for name in tables for row in database.execute(f'select * from "{name}"')]
        except sqlite3.Error as error:
            return f"no database: {error}".encode()
    return "\n".join(sorted(TIMES_OF_ROWS.sub("", row) for row in rows)).encode()


def hidden(name: str) -> bool:
    """Whether a file is one under way, which nobody takes for a result."""
    return any(part.startswith(".") for part in Path(name).parts)
