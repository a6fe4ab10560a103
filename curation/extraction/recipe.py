"""How a run makes captions: the recipe of an engine, and the pool of workers that it opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from curation.caption import MadeBy
from curation.report import Report, Section

from .duplicates import Claims

if TYPE_CHECKING:
    from curation.caption_set.writer import CaptionSet
    from curation.runtime.progress import Progress
    from curation.verification.verifier import Verdict


class Checker(Protocol):
    """What the pipeline needs of the verifier."""

    def read(self, text: str, sections: Sequence[Section]) -> Any:
        """Prepare a report."""
        ...

    def verify(self, report: Any, organ: str, caption: str, near: int | None = None) -> Verdict:
        """Hold one caption against a prepared report, at first against the statement with the number ``near``."""
        ...

    def claims(self, caption: str) -> Claims:
        """What a caption says, so that two captions can be compared."""
        ...


class Pool(Protocol):
    """What works on batches of reports. ``ahead``: so many are handed in before the first answer is waited for."""

    @property
    def ahead(self) -> int:
        """So many batches."""
        ...

    def submit(self, reports: list[Report], /) -> Future[list[tuple[bytes, bool]]]:
        """Begin a batch: in the end the packed outcome of each report, and whether the engine failed on it."""
        ...


BATCH_REPORTS = 32
Options = Mapping[str, int | float | str]
OpenPool = Callable[["CaptionSet", int], AbstractContextManager[Pool]]


class Recipe(Protocol):
    """How captions are made."""

    @property
    def made_by(self) -> MadeBy:
        """What stands beside each caption."""
        ...

    @property
    def options(self) -> Options:
        """What else decides the rows."""
        ...

    @property
    def prompt_file(self) -> bytes | None:
        """The prompt file as it is, to be kept with the set."""
        ...

    @property
    def reports_per_part(self) -> int:
        """Reports in a part, where nothing else is said."""
        ...

    @property
    def batch_reports(self) -> int:
        """Reports that are handed to a pool at once."""
        ...

    def started(self, progress: Progress) -> AbstractContextManager[OpenPool]:
        """Load what is slow to load or may fail to; then a pool can be opened for a set, with so many processes."""
        ...
