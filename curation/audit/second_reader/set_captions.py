"""The captions of a set as a second reader gets them: report by report, without those that it has read already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from curation.caption_set.manifest import Manifest
from curation.caption_set.schemas import evidence_spans
from curation.caption_set.set_files import part_path
from curation.report import Section

from .comparison import CaptionToRead

_CLAIM = ("report_id", "organ", "status", "caption", "evidence_start", "evidence_end", "evidence_spans")


class ReportToRead(NamedTuple):
    """A report with the captions of it that are to be read."""

    text: str
    sections: tuple[Section, ...]
    captions: tuple[CaptionToRead, ...]


def reports_to_read(
    root: Path, manifest: Manifest, answered_rows: Callable[[int], set[int]], check: Callable[[], None] = lambda: None
) -> Iterator[ReportToRead]:
    """Yield the reports of a finished set that have captions to be read, in its order, part by part.

    ``answered_rows`` returns which rows of a part need not be read; ``check`` is called in between, and may raise.
    """
    for part in range(len(manifest.parts)):
        check()
        captions = _captions_of_part(root, part, answered_rows(part))
        if not captions:
            continue
        with pq.ParquetFile(part_path(root, "reports", part)) as file:
            for batch in file.iter_batches(batch_size=1024, columns=["report_id", "text", "sections"]):
                check()
                for row in batch.to_pylist():
                    if rows := captions.pop(row["report_id"], None):
                        sections = tuple(Section(**section) for section in row["sections"])
                        yield ReportToRead(row["text"], sections, tuple(rows))


def _captions_of_part(root: Path, part: int, answered: set[int]) -> dict[str, list[CaptionToRead]]:
    captions: dict[str, list[CaptionToRead]] = {}
    number = 0
    with pq.ParquetFile(part_path(root, "captions", part)) as file:
        columns = [name for name in _CLAIM if name in file.schema_arrow.names]
        for batch in file.iter_batches(columns=columns):
            for row in batch.to_pylist():
                if number not in answered:
                    claim = (row["organ"], row["status"], row["caption"], evidence_spans(row))
                    captions.setdefault(row["report_id"], []).append(CaptionToRead(part, number, *claim))
                number += 1
    return captions
