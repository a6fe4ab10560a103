"""What a result was made with: versions of this program and its packages, digests of its data files."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files


def ovct_version() -> str:
    """The installed version of this program."""
    try:
        return version("ovct")
    except PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Versions of what the rows and their files depend on."""
    packages = {name: version(name) for name in ("pyarrow", "rapidfuzz", "pydantic")}
    return {"ovct": ovct_version(), "python": platform.python_version(), **packages}


def data_hash(package: str, name: str) -> str:
    """SHA-256 of a data file that comes with the program."""
    return hashlib.sha256(files(package).joinpath(name).read_bytes()).hexdigest()
