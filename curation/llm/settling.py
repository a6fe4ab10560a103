"""From answers to an outcome: what they claim is held against the report, and what is missing is a refusal too.

The outcome follows from report, answers and prompt alone, so that it can be had again from answers that were kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from curation.caption import Draft, Reason, RefusedCaption, ReportOutcome
from curation.engines.non_findings import without_non_findings
from curation.extraction.text_engine import verify_drafts
from curation.language.clauses import units
from curation.report import Report
from curation.verification.organs import statement_organs
from curation.verification.statements_read import normalised
from curation.verification.verifier import Verifier
from prompts.prompt_file import Prompt

from .answers import Form, read_answer
from .dialogue import TOO_LONG
from .prompting import example_captions, filed
from .responses import Response

REPEATS_EXAMPLE = "it repeats an example of the prompt, and not this report"
IS_ASIDE = "advice, a limitation or an earlier examination: it says nothing of what is found in an organ now"
NOT_REPAIRED = frozenset((Reason.DUPLICATE, Reason.SCHEMA, Reason.TRUNCATED, Reason.ENGINE_ERROR))


class Asked(NamedTuple):
    """A report with all that was answered about it so far."""

    report: Report
    responses: Sequence[Response]


class Settled(NamedTuple):
    """A packed outcome, whether something about the report got no usable answer, how many captions hold and do not,
    and those of the latter that the model may put right."""

    packed: bytes
    failed: bool
    accepted: int
    refused: int
    repairable: list[RefusedCaption]


class Settler:
    """Settles reports, in a worker process. ``repairs``: whether refused captions will go back to the model."""

    def __init__(self, prompt: Prompt, repairs: bool = False, verifier: Verifier | None = None) -> None:
        self._form: Form = prompt.file.response.form
        self._organs = prompt.file.response.organs
        self._examples = example_captions(prompt)
        self._repairs = repairs
        self._verifier = verifier or Verifier()

    def __call__(self, asked: Sequence[Asked]) -> list[Settled]:
        """Settle each report."""
        return [self._settled(*one) for one in asked]

    def _settled(self, report: Report, responses: Sequence[Response]) -> Settled:
        outcome = self.settle(report, responses)
        judged = [row for row in outcome.refused if row.reason != Reason.DUPLICATE]
        repairable = [row for row in judged if self._is_repairable(row)] if self._repairs else []
        return Settled(outcome.pack(), outcome.failed, len(outcome.accepted), len(judged), repairable)

    def settle(self, report: Report, responses: Sequence[Response]) -> ReportOutcome:
        """The outcome of a report."""
        try:
            return self._settle(report, responses)
        except Exception as error:  # one report that cannot be settled must not lose the others
            detail = f"{type(error).__name__}: {error}"
            return ReportOutcome(
                [], [RefusedCaption("", "", Reason.ENGINE_ERROR, detail, None)], tuple(responses), failed=True
            )

    def _settle(self, report: Report, responses: Sequence[Response]) -> ReportOutcome:
        asked = [row for row in responses if row.kind != "repair"]
        drafts, problems = self._claims(_standing(asked))
        outcome = self._held(report, drafts)
        returned = repaired = 0
        repairs = [row for row in responses if row.kind == "repair" and row.content is not None]
        if repairs:
            before = len(outcome.accepted)
            returned = sum(map(self._is_repairable, outcome.refused))
            for row in repairs:
                drafts += read_answer(row.content or "", row.finish_reason or "", "captions").drafts
            outcome = self._held(report, drafts)
            repaired = len(outcome.accepted) - before
        return outcome._replace(
            refused=[*outcome.refused, *problems],
            responses=tuple(responses),
            failed=bool(problems),
            returned=returned,
            repaired=repaired,
        )

    def _claims(self, standing: Iterable[tuple[Response, bool]]) -> tuple[list[Draft], list[RefusedCaption]]:
        """Drafts of the answers that stand; a refusal for each that is missing or broken, if it is the last word."""
        drafts: list[Draft] = []
        problems: list[RefusedCaption] = []
        for row, last in standing:
            if row.content is None:
                reason = Reason.TRUNCATED if row.finish_reason == TOO_LONG else Reason.ENGINE_ERROR
                problems.append(RefusedCaption("", "", reason, row.error or "", None))
                continue
            claims = read_answer(row.content, row.finish_reason or "", self._form, self._organs)
            file = filed if self._form == "organs" else self._named
            drafts += [file(self._verifier, draft) for draft in claims.drafts]
            if claims.problem is not None and last:
                problems.append(RefusedCaption("", "", *claims.problem, None))
        return drafts, problems

    @staticmethod
    def _named(verifier: Verifier, draft: Draft) -> Draft:
        """A draft whose organ is more than a name, under the organ in it: "bilateral adrenal glands", "pleural
        effusion". Whether it is the right one is for the verifier to say."""
        if verifier.resolve(draft.organ) is not None:
            return draft
        vocabulary = verifier.reader.vocabulary
        said = statement_organs(verifier.reader, verifier.reader.analyse(draft.organ))
        organs = {vocabulary.filed_under(organ) for organ in said}
        groups = {parent for organ in organs for parent in vocabulary.organs[organ].parents}
        pairs = {group for group in groups if set(vocabulary.sided(group) or ()) == organs}
        only = organs if len(organs) == 1 else pairs
        return replace(draft, organ=min(only)) if len(only) == 1 else draft

    def _held(self, report: Report, drafts: Sequence[Draft]) -> ReportOutcome:
        asides = [draft for draft in drafts if self._is_aside(draft.caption)]
        held = verify_drafts(
            self._verifier, report, [draft for draft in drafts if draft not in asides], show_repeats=True
        )
        said = self._verifier.read(report.text, report.sections).by_words
        refused = [row if normalised(row.caption) in said else self._explained(row) for row in held.refused]
        refused += [RefusedCaption(one.organ, one.caption, Reason.NOT_GROUNDED, IS_ASIDE, None) for one in asides]
        return held._replace(refused=refused)

    def _is_aside(self, caption: str) -> bool:
        """Whether a caption says nothing of this examination's findings: advice, a limitation, what was seen before."""
        analysis = self._verifier.reader.analyse(caption)
        claims = units(analysis)
        return bool(claims) and not without_non_findings(claims, analysis)

    def _explained(self, row: RefusedCaption) -> RefusedCaption:
        if row.reason == Reason.DUPLICATE or normalised(row.caption) not in self._examples:
            return row
        return row._replace(reason=Reason.NOT_GROUNDED, detail=REPEATS_EXAMPLE)

    def _is_repairable(self, row: RefusedCaption) -> bool:
        return row.reason not in NOT_REPAIRED and bool(row.nearest) and row.detail != REPEATS_EXAMPLE


def _standing(responses: Iterable[Response]) -> Iterator[tuple[Response, bool]]:
    """Of each question the retries; and its own answer where it has none, or none was answered. Which is the last word
    on it stands beside each."""
    for _, group in groupby(responses, key=lambda row: row.number):
        rows = list(group)
        retries = [row for row in rows if row.kind == "retry"]
        stand = retries if any(row.content is not None for row in retries) else rows
        yield from ((row, row.kind == "retry" or not retries) for row in stand)


def unsent(repairable: Iterable[RefusedCaption], sent: Collection[tuple[str, str]]) -> list[RefusedCaption]:
    """Refused captions that have not gone back yet."""
    return [row for row in repairable if (row.organ, row.caption) not in sent]
