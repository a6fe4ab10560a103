"""Volumes that are two files, a header and its voxels: says which of the two is missing, or is to be named instead."""

from pathlib import Path

# Endings of files that hold voxels alone, with those of the headers that may belong to them.
HEADERS = {
    ".img": (".hdr",),
    ".img.gz": (".hdr", ".hdr.gz"),
    ".raw": (".mhd", ".nhdr"),
    ".raw.gz": (".nhdr", ".mhd"),
    ".zraw": (".mhd",),
    ".bin": (".mhd", ".nhdr"),
}
KINDS = {".hdr": "NIfTI", ".hdr.gz": "NIfTI", ".mhd": "MetaImage", ".nhdr": "NRRD"}


def missing_part(path: Path) -> str | None:
    """Return a sentence where a file is one of two that make a volume, and cannot be read without the other."""
    ending = next((end for end in sorted(HEADERS, key=len, reverse=True) if path.name.lower().endswith(end)), None)
    if ending is None:
        return None
    stem = path.name[: -len(ending)]
    headers = [stem + end for end in HEADERS[ending]]
    there = {name.lower(): name for name in _names(path.parent)}
    if found := next((there[name.lower()] for name in headers if name.lower() in there), None):
        return f"voxels without a header, by its name those of {found} beside it, which is to be read. Give that file"
    kinds = dict.fromkeys(KINDS[end] for end in HEADERS[ending])
    return (
        f"voxels without their header ({' or '.join(kinds)}), which is {' or '.join(headers)} and is not beside it. "
        "Copy the header too, or export the scan once more"
    )


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.is_file()]
