"""One engine and one verifier at work: reports in, for each the captions that hold and those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .distinct import Claims, distinct
from .outcomes import Accepted, Outcome, Refused
from .reports import Report, Section
from .schemas import Reason
from .shards import MadeBy

if TYPE_CHECKING:
    from .engines import Draft, Engine
    from .verify import Verdict


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


@dataclass(frozen=True, slots=True)
class Recipe:
    """How captions are made. Picklable: each worker process builds its own engine and verifier from it."""

    made_by: MadeBy
    build: Callable[[], tuple[Engine, Checker]]


def rules_recipe() -> Recipe:
    """The built-in engine."""
    from .engines.rules import RulesEngine

    return Recipe(MadeBy(RulesEngine.name, RulesEngine.model, RulesEngine.prompt), _build_rules)


def _build_rules() -> tuple[Engine, Checker]:
    """Engine and verifier with one reader: what one has analysed, the other need not."""
    from .engines.rules import RulesEngine
    from .verify import Verifier

    verifier = Verifier()
    return RulesEngine(verifier), verifier


class Curator:
    """One engine and one verifier: reports in, a packed ``Outcome`` for each out."""

    def __init__(self, recipe: Recipe) -> None:
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
            return _failure(drafts)
        try:
            return self.settle(report, drafts)
        except Exception as error:
            return _failure(error)

    def settle(self, report: Report, drafts: Iterable[Draft]) -> Outcome:
        """Hold the drafts against their report."""
        read = self._checker.read(report.text, report.sections)
        accepted, refused = [], []
        for draft in drafts:
            verdict = self._checker.verify(read, draft.organ, draft.caption, draft.near)
            if verdict.accepted:
                accepted.append(_accepted(report, draft.caption, verdict))
            else:
                reason = verdict.reason or Reason.NOT_GROUNDED
                refused.append(Refused(verdict.organ, draft.caption, reason, verdict.detail or "", verdict.nearest))
        kept, repeated = distinct(accepted, self._checker.claims)
        if self._made_by.engine != "rules":  # ours repeats what a report repeats; a model's repeats are shown
            refused += [_duplicate(report, row) for row in repeated]
        return Outcome(kept, refused)


def _accepted(report: Report, caption: str, verdict: Verdict) -> Accepted:
    """The row of a verdict. A verdict that cannot be a row is a fault of the verifier, and not kept."""
    if verdict.status is None or verdict.section is None or not 0 <= verdict.start < verdict.end <= len(report.text):
        raise ValueError(f"accepted without status, section or evidence: {verdict}")
    span = (verdict.start, verdict.end)
    return Accepted(verdict.organ, caption, verdict.status, *span, verdict.section, verdict.score)


def _failure(error: Exception) -> Outcome:
    return Outcome([], [Refused("", "", Reason.ENGINE_ERROR, f"{type(error).__name__}: {error}", None)])


def _duplicate(report: Report, row: Accepted) -> Refused:
    detail = "an earlier caption of this report says the same"
    return Refused(row.organ, row.caption, Reason.DUPLICATE, detail, report.text[row.start : row.end])
