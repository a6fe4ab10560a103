"""Writes image-caption pairs in the forms of other trainers, into a folder of their own.

- ``jsonl``: pairs.jsonl, a line for each caption of a volume: image, caption, organ, status, section, names.
- ``csv``: pairs.csv, tab-separated with the columns filepath and title, which are open_clip's defaults.
- ``hlip``: pairs.json, {scan: {recons: [names of volumes], report: [texts]}}, as HLIP's training reads it.
- ``desc-info``: desc_info.json and conc_info.json, {scan: {organ: text}} of findings and of impressions, as fVLM does.
- ``webdataset``: pairs-000000.tar ...: the volume, its texts and all that is known of it, sample by sample.

A volume without a caption stands in no form but those of the report's text. ``export.json`` is written last.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from curation.runtime.errors import InputError
from curation.runtime.files import PRIVATE_FILE, whole_file, write_text
from curation.runtime.made_files import MadeFiles
from curation.runtime.progress import Progress
from prompts.vocabulary import load_vocabulary
from train.data.caption_pairs import CaptionPairs, read_pairs
from train.data.cases import DataError
from train.data.dataset import open_dataset

from .fvlm_organs import fvlm_organs
from .pair_rows import PairRow, TextChoice, pair_rows
from .tar_shards import Sample, shards_of, write_shard

Form = Literal["jsonl", "csv", "hlip", "desc-info", "webdataset"]
KIND = "export of pairs"
RECORD = "export.json"
FORMAT = "ovct pairs 1"
DEFAULT_SHARD_MB = 1_000
MEGABYTE = 1_000_000
IMPRESSION = "impression"


@dataclass(frozen=True)
class PairExport:
    """What is exported where. ``volumes`` None: those that the reports name. ``shard_mb`` are millions of bytes."""

    captions: Path
    volumes: Path | None
    out: Path
    form: str
    text: str = "captions"
    shard_mb: int = DEFAULT_SHARD_MB
    overwrite: bool = False

    def __post_init__(self) -> None:
        for flag, value, known in (("form", self.form, get_args(Form)), ("text", self.text, get_args(TextChoice))):
            if value not in known:
                raise InputError(f"--{flag} {value}: there are {', '.join(known)}")
        if self.text == "report" and self.form == "desc-info":
            raise InputError("--text report: desc-info has the texts of organs; leave it out, or take another --form")


class Exported(NamedTuple):
    """The files that were written, and how many pairs, volumes and texts stand in them."""

    files: list[str]
    pairs: int
    volumes: int
    texts: int
    without_text: int


def export_pairs(job: PairExport, progress: Progress, tell: Callable[[str], None] = lambda line: None) -> Exported:
    """Pair reports and volumes as ``ovct train align`` does, and write them. ``tell`` gets lines on who was joined.

    Raises:
        DataError: nothing could be paired, or a volume cannot stand in the form.
        InputError: the folder holds something else, or a finished export and no ``overwrite``.
    """
    made = _usable_folder(job)
    if not job.captions.exists():
        raise DataError(f"{job.captions} is not there: `ovct curate REPORTS --out {job.captions}` makes a caption set")
    pairs = read_pairs(job.captions, open_dataset(job.volumes) if job.volumes else None)
    for line in pairs.summary():
        tell(line)
    text: TextChoice = "report" if job.text == "report" else "captions"
    rows = pair_rows(job.captions, pairs)
    with_text = [row for row in rows if any(one.strip() for one in row.texts(text))]
    if not with_text:
        raise DataError(f"{job.captions}: no report that has a volume has a caption; nothing was written")
    if job.form == "webdataset":
        _refuse_folders(with_text)
    made.remove([RECORD])  # first, so that what a kill leaves is no export
    made.remove(made.names())
    progress.start(len(with_text), 0)
    writing = _Writing(job.out, made, progress, text, job.shard_mb * MEGABYTE)
    files = _WRITERS[job.form](writing, with_text)
    exported = Exported(
        files,
        len(with_text),
        len({row.pair.case.id for row in with_text}),
        sum(len(row.texts(text)) for row in with_text),
        len(rows) - len(with_text),
    )
    _write_record(job, made, pairs, exported)
    return exported


def _usable_folder(job: PairExport) -> MadeFiles:
    """Return the list of the folder's files. One that a killed export has left is begun anew."""
    if job.out.exists() and not job.out.is_dir():
        raise InputError(f"{job.out} is a file; name a folder with --out")
    made = MadeFiles(job.out, KIND)
    if (job.out / RECORD).exists() and not job.overwrite:
        raise InputError(f"{job.out} holds an export already: name another folder with --out, or --overwrite it")
    return made


def _refuse_folders(rows: Iterable[PairRow]) -> None:
    for row in rows:
        if row.pair.case.image.is_dir():
            raise DataError(
                f"{row.pair.case.image} is a folder of slices, and a sample of WebDataset has one file for its volume: "
                "make NIfTI of it first, or take --form jsonl"
            )


class _Writing(NamedTuple):
    folder: Path
    made: MadeFiles
    progress: Progress
    text: TextChoice
    shard_bytes: int

    def counted(self, rows: Iterable[PairRow]) -> Iterator[PairRow]:
        """Yield rows, count them, and stop where the user asked for it."""
        for row in rows:
            self.progress.raise_if_interrupted()
            yield row
            self.progress.advance()


def _write_jsonl(writing: _Writing, rows: Sequence[PairRow]) -> list[str]:
    writing.made.claim(name := "pairs.jsonl")
    with (
        whole_file(writing.folder / name, PRIVATE_FILE) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        for row in writing.counted(rows):
            parts: list[dict[str, Any]] = [{"caption": row.pair.text}] if writing.text == "report" else row.captions()
            for part in parts:
                file.write(json.dumps({"image": row.image, **part, **row.names()}, ensure_ascii=False) + "\n")
    return [name]


def _write_csv(writing: _Writing, rows: Sequence[PairRow]) -> list[str]:
    writing.made.claim(name := "pairs.csv")
    with (
        whole_file(writing.folder / name, PRIVATE_FILE) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["filepath", "title"])
        for row in writing.counted(rows):
            table.writerows([row.image, text] for text in row.texts(writing.text))
    return [name]


def _write_hlip(writing: _Writing, rows: Sequence[PairRow]) -> list[str]:
    scans: dict[str, dict[str, list[str]]] = {}
    for row in writing.counted(rows):
        scan = scans.setdefault(row.pair.case.scan, {"recons": [], "report": []})
        for name, values in (("recons", [row.pair.case.image.name]), ("report", row.texts(writing.text))):
            scan[name] += [value for value in values if value not in scan[name]]
    return [_write_json(writing, "pairs.json", scans)]


def _write_desc_info(writing: _Writing, rows: Sequence[PairRow]) -> list[str]:
    names_of = fvlm_organs(load_vocabulary())
    # Kept as keys of a dict: reports of one scan may say the same.
    said: dict[str, dict[str, dict[str, dict[str, None]]]] = {"desc_info.json": {}, "conc_info.json": {}}
    for row in writing.counted(rows):
        for part in row.captions():
            file = "conc_info.json" if part.get("section") == IMPRESSION else "desc_info.json"
            for organ in names_of(part.get("organ", "")):
                scan = said[file].setdefault(row.pair.case.scan, {})
                scan.setdefault(organ, {})[_sentence(part["caption"])] = None
    return [
        _write_json(
            writing,
            name,
            {scan: {organ: " ".join(texts) for organ, texts in organs.items()} for scan, organs in scans.items()},
        )
        for name, scans in said.items()
    ]


def _sentence(caption: str) -> str:
    """Return a caption with a full stop: the texts of an organ follow each other."""
    text = " ".join(caption.split())
    return text if re.search(r"[.!?]$", text) else f"{text}."


def _write_webdataset(writing: _Writing, rows: Sequence[PairRow]) -> list[str]:
    samples = (_sample(row, writing.text) for row in rows)
    files = []

    def after_each() -> None:
        writing.progress.advance()
        writing.progress.raise_if_interrupted()

    for number, shard in enumerate(shards_of(samples, writing.shard_bytes)):
        writing.made.claim(name := f"pairs-{number:06d}.tar")
        write_shard(writing.folder / name, shard, after_each)
        files.append(name)
    return files


def _sample(row: PairRow, text: TextChoice) -> Sample:
    content = {"image": row.image, **row.names(), "captions": row.captions(), "report": row.pair.text}
    texts = {
        "txt": " ".join(_sentence(one) if text == "captions" else one for one in row.texts(text)).encode(),
        "json": json.dumps(content, ensure_ascii=False).encode(),
    }
    return Sample(row.key, row.pair.case.image, row.suffix, texts)


def _write_json(writing: _Writing, name: str, content: object) -> str:
    writing.made.claim(name)
    write_text(writing.folder / name, json.dumps(content, ensure_ascii=False, indent=1) + "\n", PRIVATE_FILE)
    return name


_WRITERS: dict[str, Callable[[_Writing, Sequence[PairRow]], list[str]]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "hlip": _write_hlip,
    "desc-info": _write_desc_info,
    "webdataset": _write_webdataset,
}


def _write_record(job: PairExport, made: MadeFiles, pairs: CaptionPairs, exported: Exported) -> None:
    record = {
        "format": FORMAT,
        "form": job.form,
        "text": job.text,
        "captions": str(job.captions),
        "caption_set": pairs.source.identity,
        "volumes": str(pairs.dataset.root),
        **exported._asdict(),
    }
    made.claim(RECORD)
    write_text(job.out / RECORD, json.dumps(record, ensure_ascii=False, indent=1) + "\n", PRIVATE_FILE)
