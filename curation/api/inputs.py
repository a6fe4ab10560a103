"""Reports of any kind as a file, and where a caption set goes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, cast

from curation.readers.delimited import unique_names
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress

if TYPE_CHECKING:
    from pandas import DataFrame

    from curation.caption_set.publishing import StorePublisher

    Reports = str | Path | DataFrame | Iterable[str]


class GivenReports(NamedTuple):
    """Reports as a file or folder; ``shown`` is what to call a file that was written for them, else None."""

    path: str | Path
    shown: str | None = None


@contextmanager
def as_file(reports: Reports) -> Iterator[GivenReports]:
    """Yield reports as a path: a DataFrame or texts are written to a file that lives as long as the block."""
    if isinstance(reports, (str, Path)):
        yield GivenReports(reports)
        return
    with TemporaryDirectory(prefix="ovct-") as folder:
        if hasattr(reports, "to_parquet"):
            path = Path(folder) / "reports.parquet"
            frame = cast("DataFrame", reports)
            columns = unique_names([str(name) for name in frame.columns])
            frame.set_axis(list(columns), axis="columns").to_parquet(path, index=False)
            yield GivenReports(path, "the DataFrame")
            return
        path = Path(folder) / "reports.jsonl"
        _write_texts(reports, path)
        yield GivenReports(path, "the texts")


def _write_texts(texts: Iterable[str], path: Path) -> None:
    number = 0
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts, 1):
            if not isinstance(text, str):
                raise InputError(f"report {number} is a {type(text).__name__}; texts are expected, or a path")
            file.write(json.dumps({"report_id": f"report-{number:06d}", "report": text}) + "\n")
    if not number:
        raise InputError("there are no texts; at least one report is expected")


def store_publisher(out: str | Path, progress: Progress) -> StorePublisher | None:
    """Return the store that a set goes to, None where ``out`` is a folder of this machine."""
    from curation.runtime.store_cache import staging_folder
    from curation.runtime.urls import is_url

    if not is_url(out):
        return None
    from curation.caption_set.publishing import StorePublisher

    return StorePublisher(str(out), staging_folder(str(out), progress), progress)
