"""Names of files that come from elsewhere: a store, a manifest, a table. None of them leads out of its folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from .errors import InputError


def path_within(folder: Path, name: str, source: str) -> Path:
    """Return the path of a file below ``folder`` by a name that ``source`` gives, its parts parted by slashes.

    Raises ``InputError`` for a name that is absolute, leads upward, or is not one on every system.
    """
    parts = PurePosixPath(name).parts
    windows = PureWindowsPath(name)
    leads_out = not parts or ".." in parts or name.startswith("/") or "\\" in name or windows.drive or windows.root
    if leads_out or any(ord(character) < 32 for character in name):
        raise InputError(
            f"{source}: {name!r} is no name of a file below {folder.name}, so nothing is read or written there: "
            "give the file a plain name"
        )
    return folder.joinpath(*parts)
