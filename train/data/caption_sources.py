"""Reading reports with their organ captions, from a caption set or from a JSON file of organ captions by others."""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from curation.caption_set.manifest import ManifestError, load_manifest
from curation.caption_set.resuming import check_parts
from curation.caption_set.set_files import part_path
from curation.caption_set.shards import source_names
from curation.caption_set.work_folder import SetError

from .cases import DataError

# Source columns that name a volume, without case, spaces and punctuation; those that may hold a path come first.
VOLUME_COLUMNS = (
    "imagepath", "volumepath", "niftipath", "ctpath", "pathtoimage", "filepath", "path", "image", "volume", "nifti",
    "ct", "scan", "filename", "file", "volumename",
)  # fmt: skip


class OrganCaption(NamedTuple):
    """One caption: the organ's name in the vocabulary, the text, and its status.

    `status` is normal, abnormal, uncertain or, where the source does not say, empty.
    """

    organ: str
    caption: str
    status: str


@dataclass(frozen=True)
class CaptionedReport:
    """A report with its captions. `names` may name its volume: those that may be a path first, its own id last."""

    report_id: str
    names: tuple[str, ...]
    text: str
    captions: tuple[OrganCaption, ...]


@dataclass(frozen=True)
class CaptionSource:
    """The folder or file that reports were read from, a string that identifies its content, and warnings about it."""

    path: Path
    identity: str
    warnings: tuple[str, ...] = ()


def read_caption_source(path: Path) -> tuple[CaptionSource, list[CaptionedReport]]:
    """Read every report with its captions, in the order of the files.

    `path` is a caption set (`ovct curate`), or a JSON file {volume or scan: {organ: text or texts}}, {…: [texts]} or,
    as HLIP has it, {scan: {recons: […], report: [texts]}}.

    Raises:
        DataError: it is neither, or it holds no report.
    """
    source, reports = _read_json(path) if path.is_file() else _read_caption_set(path)
    if not reports:
        raise DataError(f"{path} holds no reports; make it anew with `ovct curate REPORTS --out {path}`")
    return source, reports


def _read_caption_set(folder: Path) -> tuple[CaptionSource, list[CaptionedReport]]:
    try:
        manifest = load_manifest(folder)
        check_parts(folder, manifest, ("reports", "captions"))
    except ManifestError as error:
        raise DataError(f"{error}. Make one with `ovct curate REPORTS --out {folder}`") from None
    except SetError as error:
        raise DataError(str(error)) from None
    warnings = () if manifest.complete else (f"{folder} is not finished: `ovct curate` again goes on with it",)
    columns = _volume_columns(manifest.source_columns)
    parts = (_read_part(folder, index, columns) for index in range(len(manifest.parts)))
    return CaptionSource(folder, manifest.identity(), warnings), [report for part in parts for report in part]


def _volume_columns(source_columns: Sequence[str]) -> list[str]:
    """Return the stored columns of the reports that may name a volume, those that may hold a path first."""
    normalised = {name: re.sub(r"[\W_]+", "", name).lower() for name in source_columns}
    stored = source_names(source_columns)
    naming = [name for name in source_columns if normalised[name] in VOLUME_COLUMNS]
    return [stored[name] for name in sorted(naming, key=lambda name: VOLUME_COLUMNS.index(normalised[name]))]


def _read_part(folder: Path, index: int, columns: Sequence[str]) -> Iterator[CaptionedReport]:
    captions: dict[str, list[OrganCaption]] = defaultdict(list)
    table = pq.read_table(part_path(folder, "captions", index), columns=["report_id", "organ", "caption", "status"])
    for report_id, organ, caption, status in zip(*(column.to_pylist() for column in table.columns), strict=True):
        captions[report_id].append(OrganCaption(sys.intern(organ), caption, sys.intern(status)))
    table = pq.read_table(part_path(folder, "reports", index), columns=["report_id", "text", *columns])
    for report_id, text, *cells in zip(*(column.to_pylist() for column in table.columns), strict=True):
        # Another report under the same id is called ID#2.
        original_id = re.sub(r"#\d+$", "", report_id)
        names = dict.fromkeys([*(cell.strip() for cell in cells if cell), report_id, original_id])
        yield CaptionedReport(report_id, tuple(names), text, tuple(captions[report_id]))


def _read_json(path: Path) -> tuple[CaptionSource, list[CaptionedReport]]:
    try:
        content = path.read_bytes()
        entries = json.loads(content)
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}); give a caption set's folder or organ captions in JSON") from None
    if not isinstance(entries, dict):
        raise DataError(f"{path}: expected an object {{volume: {{organ: text}}}}, not a {type(entries).__name__}")
    warning = f"{path}: taken as it is; `ovct verify` holds captions against their reports"
    source = CaptionSource(path, sha256(content).hexdigest(), (warning,))
    return source, [_parse_entry(name, entry, path) for name, entry in entries.items()]


def _parse_entry(name: str, entry: Any, path: Path) -> CaptionedReport:
    """Return the report of one entry of a JSON file. Raises `DataError` for a caption that is no text."""
    names: Sequence[str] = [name]
    if isinstance(entry, dict) and isinstance(entry.get("report"), list):
        names, entry = [*map(str, entry.get("recons", [])), name], entry["report"]
    by_organ: Mapping[str, Any] = entry if isinstance(entry, dict) else {"": entry}
    captions = []
    for organ, texts in by_organ.items():
        for text in texts if isinstance(texts, list) else [texts]:
            if not isinstance(text, str):
                raise DataError(f"{path}: {name}, {organ or 'its list'}: {text!r} is no text")
            captions += [OrganCaption(organ, text.strip(), "")] if text.strip() else []
    return CaptionedReport(name, tuple(names), "\n".join(caption.caption for caption in captions), tuple(captions))
