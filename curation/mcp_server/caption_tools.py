"""The tools `curate`, `verify` and `show` of `ovct mcp`: what each does, apart from the protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from curation.api.curate import Curation
from curation.api.curate import curate as curate_reports
from curation.api.verify import VerifiedCaption
from curation.api.verify import verify as verify_captions
from curation.caption_set.manifest import FILE_NAME
from curation.readers.problems import problem_lines
from curation.runtime.errors import InputError
from curation.show.filters import ReportFilter
from curation.show.set_reports import SetReports

from .allowed_paths import AllowedPaths
from .caption_pages import EVERYTHING, read_page
from .results import (
    CurateAnswer,
    VerifyAnswer,
    caption_answer,
    passages,
    shortened,
)

if TYPE_CHECKING:
    from .results import CaptionAnswer, CaptionPage
    from .running import ClientProgress

# Reports of one call that writes nothing, and characters of reports that stand in a call.
MOST_PREVIEWED = 100
MOST_CHARACTERS = 200_000
MOST_PROBLEMS = 10


@dataclass(frozen=True)
class SiteFiles:
    """The site's own words beside ours, which whoever starts the server names."""

    lexicon: Path | None = None
    organs: Path | None = None

    def given(self) -> dict[str, Any]:
        """Return them as arguments of the Python API."""
        return {"lexicon": self.lexicon, "organs": self.organs}


class CaptionTools:
    """Does the work of the tools, each call in a thread of its own."""

    def __init__(self, paths: AllowedPaths, words: SiteFiles) -> None:
        self._paths, self._words = paths, words
        self._verifying = threading.Lock()  # the verifier keeps what it prepared, for one thread at a time
        self._sets = _OpenSets()

    def curate(
        self,
        progress: ClientProgress,
        reports: str | None,
        texts: Sequence[str] | None,
        out: str | None,
        limit: int | None,
        columns: dict[str, Any],
    ) -> CurateAnswer:
        """Make captions of reports; without ``out`` of few reports, and nothing of it stays."""
        if (reports is None) == (not texts):
            raise InputError("curate takes either `reports`, a path, or `texts`, the reports themselves")
        if sum(map(len, texts or ())) > MOST_CHARACTERS:
            raise InputError(f"texts: more than {MOST_CHARACTERS:,} characters; put them into a file")
        given = texts if reports is None else self._paths.to_read(reports)
        if out is not None:
            return self._curated(self._paths.to_write(out), out, given, limit, columns, progress)
        if limit is not None and limit > MOST_PREVIEWED:
            raise InputError(f"limit {limit}: without `out` at most {MOST_PREVIEWED} reports")
        with TemporaryDirectory(prefix="ovct-mcp-") as folder:
            return self._curated(Path(folder, "captions"), None, given, limit or MOST_PREVIEWED, columns, progress)

    def _curated(
        self,
        folder: Path,
        out: str | None,
        given: Path | Sequence[str] | None,
        limit: int | None,
        columns: dict[str, Any],
        progress: ClientProgress,
    ) -> CurateAnswer:
        done: Curation = curate_reports(
            given or (), folder, limit=limit, progress=progress, **columns, **self._words.given()
        )
        counts = done.manifest.counts
        page = read_page(SetReports(folder), "1", MOST_PREVIEWED, EVERYTHING, progress.raise_if_interrupted)
        return CurateAnswer(
            folder=None if out is None else str(folder),
            already_done=done.already_done,
            reports=counts.reports,
            accepted=sum(sum(by_status.values()) for by_status in counts.captions.values()),
            refused=sum(counts.rejects.values()),
            refused_by_reason=dict(sorted(counts.rejects.items())),
            problems=tuple(
                shortened(line, 500)
                for line in problem_lines(done.problems[:MOST_PROBLEMS], min(done.problem_count, MOST_PROBLEMS))
            ),
            problem_count=done.problem_count,
            warnings=tuple(progress.warnings),
            page=page if out is not None else page.model_copy(update={"next": None}),
            more=page.next is not None,
        )

    def verify(self, report: str, captions: Sequence[tuple[str, str]]) -> VerifyAnswer:
        """Hold captions against the text of their report."""
        with self._verifying:
            results = verify_captions(report, captions, **self._words.given())
        answers = tuple(_verified(result, report) for result in results)
        accepted = sum(answer.accepted for answer in answers)
        return VerifyAnswer(accepted=accepted, refused=len(answers) - accepted, captions=answers)

    def show(
        self,
        progress: ClientProgress,
        folder: str,
        report_ids: Sequence[str],
        wanted: ReportFilter,
        start: str,
        limit: int,
    ) -> CaptionPage:
        """Return a page of a caption set."""
        path = self._paths.to_read(folder)
        with self._sets.opened(path, tuple(report_ids), progress) as reports:
            return read_page(reports, start, limit, wanted, progress.raise_if_interrupted)


def _verified(result: VerifiedCaption, report: str) -> CaptionAnswer:
    spans = result.evidence_spans or (
        [(result.evidence_start, result.evidence_end)]
        if result.evidence_start is not None and result.evidence_end is not None
        else []
    )
    return caption_answer(
        result.organ,
        result.caption,
        result.accepted,
        score=result.score,
        reason=result.reason,
        detail=result.detail,
        evidence=passages(report, spans),
    )


class _OpenSets:
    """Keeps the caption set that was shown last open: its files are compared with their digests once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[object, ...] | None = None
        self._reports: SetReports | None = None
        self._progress: ClientProgress | None = None

    @contextmanager
    def opened(self, folder: Path, report_ids: tuple[str, ...], progress: ClientProgress) -> Iterator[SetReports]:
        """Yield a set, opened unless it is open and its manifest has not changed; one call at a time reads."""
        while not self._lock.acquire(timeout=0.2):
            progress.raise_if_interrupted()
        try:
            self._progress = progress
            manifest = folder / FILE_NAME
            changed = manifest.stat().st_mtime_ns if manifest.exists() else None
            key = (folder, report_ids, changed)
            if self._reports is None or key != self._key:
                self._reports = SetReports(folder, report_ids, self._check)
                self._key = key
            yield self._reports
        finally:
            self._lock.release()

    def _check(self) -> None:
        if self._progress is not None:
            self._progress.raise_if_interrupted()
