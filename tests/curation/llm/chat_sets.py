"""Caption sets by a fake model."""

from pathlib import Path

import pyarrow.parquet as pq

from curation.pipeline import CurateJob, CurateResult, curate
from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from tests.curation.fakes import FakeChat, answer, chat_recipe, write_reports

TABLES = ("reports", "captions", "rejects", "responses")


def job(
    folder: Path, count: int = 40, *, distinct: int | None = None, out: str = "set", per_part: int = 15
) -> CurateJob:
    reports = folder / f"reports-{count}-{distinct}.csv"
    if not reports.exists():
        write_reports(reports, count, distinct=distinct)
    return CurateJob(reports, folder / out, workers=2, reports_per_part=per_part)


def rows(root: Path, table: str) -> list[dict[str, object]]:
    table_rows: list[dict[str, object]] = pq.read_table(root / table).to_pylist()
    return table_rows


def files(root: Path, *tables: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for table in tables or TABLES
        for path in sorted((root / table).iterdir())
    }


def run(
    folder: Path, chat: FakeChat, progress: Progress | None = None, *, repair: int = 0, count: int = 40
) -> CurateResult:
    return curate(job(folder, count), chat_recipe(chat, repair=repair), progress)


class StopAfter(Progress):
    """Stops a run when so many reports are done."""

    def __init__(self, after: int) -> None:
        self._left = after

    def advance(self) -> None:
        self._left -= 1

    def raise_if_interrupted(self) -> None:
        if self._left <= 0:
            raise Interrupted


def refusing(message: str) -> str:
    """Invents a stone in each kidney, and takes it back when told."""
    if "were refused" in message:
        return answer([("kidneys", "Kidney is of normal size")])
    return answer([("liver", "The liver is normal"), ("kidneys", "Kidney 5 is of normal size with a 9 mm stone")])
