"""`ovct.show`: reports with all of their captions, in a notebook or as one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curation.runtime.files import PRIVATE_FILE, write_text
from curation.runtime.local_server.page_files import framed
from curation.runtime.progress import Progress
from curation.runtime.store_cache import local_copy

REPORTS_IN_A_PAGE = 100


@dataclass(frozen=True)
class ShownReports:
    """Reports with all of their captions as one HTML page, which loads nothing; a notebook shows it.

    ``reports`` are in it, of ``total`` that there are.
    """

    reports: int
    total: int
    page: str = field(repr=False)

    def _repr_html_(self) -> str:
        return framed(self.page)

    def save(self, path: str | Path) -> None:
        """Write the page as a file that its owner alone can read."""
        write_text(Path(path), self.page, PRIVATE_FILE)


def show(
    folder: str | Path = "captions",
    report_ids: Sequence[str] = (),
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> ShownReports:
    """Show reports of a caption set with all of their captions, as the command `ovct show` does.

    Args:
        folder: The caption set.
        report_ids: The reports to show; without any, the first of the set.
        limit: The most reports to show; None for all that are named, or for the first 100.
        progress: What is asked between parts whether to stop.

    Raises:
        InputError: a report is not in the set.
        ManifestError: there is no caption set.
        SetError: a file of it is missing or not as it was written.
    """
    from curation.show.page import whole_page
    from curation.show.set_reports import SetReports

    progress = progress or Progress()
    root = local_copy(str(folder), progress)
    reports = SetReports(root, report_ids, progress.raise_if_interrupted)
    most = limit or (reports.total if report_ids else REPORTS_IN_A_PAGE)
    views = reports.first_views(most)
    return ShownReports(len(views), reports.total, whole_page(reports, views))
