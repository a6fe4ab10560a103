"""Reports with their organ captions, from a caption set or from a JSON of organ captions that others have made."""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from curation.caption_set.manifest import ManifestError, load_manifest
from curation.caption_set.shards import part_path, source_names
from curation.caption_set.writer import SetError, check_parts

from .cases import DataError

# Source columns that name a volume, without case, spaces and punctuation; those that may hold a path come first.
VOLUME_COLUMNS = (
    "imagepath", "volumepath", "niftipath", "ctpath", "pathtoimage", "filepath", "path", "image", "volume", "nifti",
    "ct", "scan", "filename", "file", "volumename",
)  # fmt: skip


class OrganCaption(NamedTuple):
    """One caption: the organ's name in the vocabulary, and normal, abnormal, uncertain or, where nobody said, empty."""

    organ: str
    caption: str
    status: str


@dataclass(frozen=True)
class Reported:
    """A report, what may name its volume (what may be a path first, its own id last), and its captions."""

    report_id: str
    names: tuple[str, ...]
    text: str
    captions: tuple[OrganCaption, ...]


@dataclass(frozen=True)
class Source:
    """Where reports come from: the folder or file, one string for its content, and what a person should know of it."""

    path: Path
    identity: str
    warnings: tuple[str, ...] = ()


def read_source(path: Path) -> tuple[Source, list[Reported]]:
    """Every report with its captions, in the order of the files.

    `path`: a caption set (`ovct curate`), or a JSON file {volume or scan: {organ: text or texts}}, {…: [texts]} or, as
    HLIP has it, {scan: {recons: […], report: [texts]}}.

    Raises:
        DataError: it is neither, or it holds no report.
    """
    source, reports = _json_source(path) if path.is_file() else _caption_set(path)
    if not reports:
        raise DataError(f"{path} holds no reports; make it anew with `ovct curate REPORTS --out {path}`")
    return source, reports


def _caption_set(folder: Path) -> tuple[Source, list[Reported]]:
    try:
        manifest = load_manifest(folder)
        check_parts(folder, manifest, ("reports", "captions"))
    except ManifestError as error:
        raise DataError(f"{error}. Make one with `ovct curate REPORTS --out {folder}`") from None
    except SetError as error:
        raise DataError(str(error)) from None
    warnings = () if manifest.complete else (f"{folder} is not finished: `ovct curate` again goes on with it",)
    columns = _volume_columns(manifest.source_columns)
    parts = (_part(folder, index, columns) for index in range(len(manifest.parts)))
    return Source(folder, manifest.identity(), warnings), [report for part in parts for report in part]


def _volume_columns(source_columns: Sequence[str]) -> list[str]:
    """Those columns of the reports' table that may name a volume, the most telling first."""
    plain = {name: re.sub(r"[\W_]+", "", name).lower() for name in source_columns}
    stored = source_names(source_columns)
    known = [name for name in source_columns if plain[name] in VOLUME_COLUMNS]
    return [stored[name] for name in sorted(known, key=lambda name: VOLUME_COLUMNS.index(plain[name]))]


def _part(folder: Path, index: int, columns: Sequence[str]) -> Iterator[Reported]:
    captions: dict[str, list[OrganCaption]] = defaultdict(list)
    table = pq.read_table(part_path(folder, "captions", index), columns=["report_id", "organ", "caption", "status"])
    for report_id, organ, caption, status in zip(*(column.to_pylist() for column in table.columns), strict=True):
        captions[report_id].append(OrganCaption(sys.intern(organ), caption, sys.intern(status)))
    table = pq.read_table(part_path(folder, "reports", index), columns=["report_id", "text", *columns])
    for report_id, text, *named in zip(*(column.to_pylist() for column in table.columns), strict=True):
        # Another report under an id that was taken is called ID#2.
        names = dict.fromkeys([*(name.strip() for name in named if name), report_id, re.sub(r"#\d+$", "", report_id)])
        yield Reported(report_id, tuple(names), text, tuple(captions[report_id]))


def _json_source(path: Path) -> tuple[Source, list[Reported]]:
    from hashlib import sha256

    try:
        content = path.read_bytes()
        found = json.loads(content)
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}); give a caption set's folder or organ captions in JSON") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected an object {{volume: {{organ: text}}}}, not a {type(found).__name__}")
    warning = f"{path}: taken as it is; `ovct verify` holds captions against their reports"
    return Source(path, sha256(content).hexdigest(), (warning,)), [_organ_report(*item, path) for item in found.items()]


def _organ_report(name: str, said: Any, path: Path) -> Reported:
    names: Sequence[str] = [name]
    if isinstance(said, dict) and isinstance(said.get("report"), list):
        names, said = [*map(str, said.get("recons", [])), name], said["report"]
    by_organ: Mapping[str, Any] = said if isinstance(said, dict) else {"": said}
    captions = []
    for organ, texts in by_organ.items():
        for text in texts if isinstance(texts, list) else [texts]:
            if not isinstance(text, str):
                raise DataError(f"{path}: {name}, {organ or 'its list'}: {text!r} is no text")
            captions += [OrganCaption(organ, text.strip(), "")] if text.strip() else []
    return Reported(name, tuple(names), "\n".join(caption.caption for caption in captions), tuple(captions))
