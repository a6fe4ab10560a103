"""The interfaces of extraction: a recipe says how captions are made, and opens the pool of workers that makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from curation.caption import MadeBy
from curation.language.site_words import SiteWords
from curation.report import Report, Section
from curation.report_language.languages import LanguageChoice

from .duplicates import Claims

if TYPE_CHECKING:
    from curation.caption_set.writer import CaptionSetWriter
    from curation.runtime.progress import Progress
    from curation.verification.answers import Verification

BATCH_REPORTS = 32
Options = Mapping[str, int | float | str]
PackedOutcome = tuple[bytes, bool]
"""An outcome as ``ReportOutcome.pack`` returns it, and whether the engine failed on the report."""


class CaptionVerifier(Protocol):
    """Verifies captions against reports: what extraction needs of ``curation.verification.verifier.Verifier``."""

    def read(self, text: str, sections: Sequence[Section]) -> Any:
        """Prepare a report, so that many captions can be verified against it."""
        ...

    def verify(self, report: Any, organ: str, caption: str, near: Sequence[int] = ()) -> Verification:
        """Verify one caption against a prepared report, first against its statements with the numbers ``near``."""
        ...

    def claims(self, caption: str, organ: str) -> Claims:
        """Return what a caption says, so that two captions can be compared."""
        ...


class Pool(Protocol):
    """Works on batches of reports."""

    @property
    def ahead(self) -> int:
        """Return how many batches to submit before the first result is awaited."""
        ...

    def submit(self, reports: list[Report], /) -> Future[list[PackedOutcome]]:
        """Begin a batch; the future's result has the outcome of each report, in their order."""
        ...


OpenPool = Callable[["CaptionSetWriter", int], AbstractContextManager[Pool]]
"""Opens a pool that works for a caption set with so many processes; with 0 it works in this process."""


class Recipe(Protocol):
    """Says how captions are made, and starts what makes them."""

    @property
    def made_by(self) -> MadeBy:
        """Return engine, model and prompt, as they stand beside each caption."""
        ...

    @property
    def options(self) -> Options:
        """Return everything else that decides the rows; it is stored in the set's settings."""
        ...

    @property
    def prompt_file(self) -> bytes | None:
        """Return the content of the prompt file, which is kept with the set; None without a prompt."""
        ...

    @property
    def words(self) -> SiteWords:
        """Return the words of a site that the verifier knows beside ours."""
        ...

    @property
    def language(self) -> LanguageChoice:
        """Return which reports captions are made of: English ones, or those of any language, by what is quoted."""
        ...

    @property
    def reports_per_part(self) -> int:
        """Return the number of reports in a part, unless the caller asks for another."""
        ...

    @property
    def batch_reports(self) -> int:
        """Return the number of reports in a batch."""
        ...

    def started(self, progress: Progress) -> AbstractContextManager[OpenPool]:
        """Load what is slow to load or may fail to load; yield the function that opens a pool."""
        ...
