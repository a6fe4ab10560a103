"""One engine and one verifier at work: reports in, for each the captions that hold and those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from curation.caption import Accepted, MadeBy, Outcome, Reason, Refused
from curation.caption_set.shards import REPORTS_PER_PART
from curation.report import Report
from curation.runtime.processes import workers

from .duplicates import distinct
from .recipe import BATCH_REPORTS, Checker, OpenPool, Options

if TYPE_CHECKING:
    from curation.caption import Draft
    from curation.engines.base import Engine
    from curation.runtime.progress import Progress
    from curation.verification.verifier import Verdict


@dataclass(frozen=True, slots=True)
class TextRecipe:
    """An engine that works on the text itself. Picklable: each worker process builds its own engine and verifier."""

    made_by: MadeBy
    build: Callable[[], tuple[Engine, Checker]]
    options: Options = field(default_factory=dict)
    prompt_file: bytes | None = None
    reports_per_part: int = REPORTS_PER_PART
    batch_reports: int = BATCH_REPORTS

    @contextmanager
    def started(self, progress: Progress) -> Iterator[OpenPool]:
        """There is nothing to load."""
        yield lambda captions, count: workers(partial(Curator, self), count)


def rules_recipe() -> TextRecipe:
    """The built-in engine."""
    from curation.engines.rules import RulesEngine

    return TextRecipe(MadeBy(RulesEngine.name, RulesEngine.model, RulesEngine.prompt), _build_rules)


def _build_rules() -> tuple[Engine, Checker]:
    """Engine and verifier with one reader: what one has analysed, the other need not."""
    from curation.engines.rules import RulesEngine
    from curation.verification.verifier import Verifier

    verifier = Verifier()
    return RulesEngine(verifier), verifier


class Curator:
    """One engine and one verifier: reports in, a packed ``Outcome`` for each out."""

    def __init__(self, recipe: TextRecipe) -> None:
        self._made_by = recipe.made_by
        self._engine, self._checker = recipe.build()

    def __call__(self, reports: Sequence[Report]) -> list[tuple[bytes, bool]]:
        """Packed outcome of each report, and whether the engine failed on it."""
        outcomes = map(self._outcome, reports, self._drafts(reports))
        return [(outcome.pack(), outcome.failed) for outcome in outcomes]

    def _drafts(self, reports: Sequence[Report]) -> list[list[Draft] | Exception]:
        """Drafts of each report. Where the engine fails on a batch, each report is tried alone: one harms no other."""
        try:
            found = [list(drafts) for drafts in self._engine.extract(reports)]
            if len(found) != len(reports):
                raise RuntimeError(f"the engine answered {len(found)} of {len(reports)} reports")
        except Exception as error:
            if len(reports) == 1:
                return [error]
            return [self._drafts([report])[0] for report in reports]
        return list(found)

    def _outcome(self, report: Report, drafts: list[Draft] | Exception) -> Outcome:
        if isinstance(drafts, Exception):
            return failure(drafts)
        try:
            # The rules repeat what a report repeats; of another engine that is worth knowing.
            return settle(self._checker, report, drafts, show_repeats=self._made_by.engine != "rules")
        except Exception as error:
            return failure(error)


def settle(checker: Checker, report: Report, drafts: Iterable[Draft], *, show_repeats: bool) -> Outcome:
    """Hold drafts against their report. ``show_repeats``: captions that say nothing new are refused, not dropped."""
    read = checker.read(report.text, report.sections)
    accepted, refused = [], []
    for draft in drafts:
        verdict = checker.verify(read, draft.organ, draft.caption, draft.near)
        if verdict.accepted:
            accepted.append(_accepted(report, draft.caption, verdict))
        else:
            reason = verdict.reason or Reason.NOT_GROUNDED
            refused.append(Refused(verdict.organ, draft.caption, reason, verdict.detail or "", verdict.nearest))
    kept, repeated = distinct(accepted, checker.claims)
    if show_repeats:
        refused += [_duplicate(report, row) for row in repeated]
    return Outcome(kept, refused)


def _accepted(report: Report, caption: str, verdict: Verdict) -> Accepted:
    """The row of a verdict. A verdict that cannot be a row is a fault of the verifier, and not kept."""
    if verdict.status is None or verdict.section is None or not 0 <= verdict.start < verdict.end <= len(report.text):
        raise ValueError(f"accepted without status, section or evidence: {verdict}")
    span = (verdict.start, verdict.end)
    return Accepted(verdict.organ, caption, verdict.status, *span, verdict.section, verdict.score)


def failure(error: Exception) -> Outcome:
    """What is written of a report on which the engine failed."""
    detail = f"{type(error).__name__}: {error}"
    return Outcome([], [Refused("", "", Reason.ENGINE_ERROR, detail, None)], failed=True)


def _duplicate(report: Report, row: Accepted) -> Refused:
    detail = "an earlier caption of this report says the same"
    return Refused(row.organ, row.caption, Reason.DUPLICATE, detail, report.text[row.start : row.end])
