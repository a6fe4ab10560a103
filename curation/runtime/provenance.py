"""What a result was made with: versions of this program and its packages, and hashes of its data files."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import NamedTuple


def ovct_version() -> str:
    """Return the installed version of this program."""
    try:
        return version("ovct")
    except PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Return the versions of what the rows and their files depend on, by name."""
    packages = {name: version(name) for name in ("pyarrow", "rapidfuzz", "pydantic")}
    return {"ovct": ovct_version(), "python": platform.python_version(), **packages}


class DataHashes(NamedTuple):
    """SHA-256 of the data files that decide which captions hold, under their names in a set's settings."""

    vocabulary: str
    lexicon: str


def data_hashes() -> DataHashes:
    """Return the hashes of the installed vocabulary and lexicon."""
    return DataHashes(_file_hash("prompts", "organs.yaml"), _file_hash("curation.language.lexicon", "lexicon.yaml"))


def _file_hash(package: str, name: str) -> str:
    return hashlib.sha256(files(package).joinpath(name).read_bytes()).hexdigest()
