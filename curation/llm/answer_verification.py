"""Verifies a model's answers about a report: reads their drafts, drops repeats, decides what goes back to the model.

An answer that is missing or cannot be read is a refusal too. The outcome follows from report, answers and prompt alone,
so that it can be made again from stored answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from curation.caption import Draft, Reason, RefusedCaption, ReportOutcome
from curation.engines.non_findings import without_non_findings
from curation.extraction.text_engine import verify_drafts
from curation.language.site_words import OURS, SiteWords
from curation.language.structure.clauses import clauses_of
from curation.report import Report
from curation.report_language.languages import LanguageChoice
from curation.verification.answers import Verification
from curation.verification.other_bases.equal_words import verify_with_equal_words
from curation.verification.report_statements import ReadReport, normalised
from curation.verification.verifier import Verifier, build_verifier
from prompts.prompt_file import Prompt

from .answer_limits import question_limits, repair_limits
from .answer_parsing import AnswerForm, parse_answer
from .dialogue import TOO_LONG
from .draft_organs import narrow_to_caption, resolve_organ_name
from .opinions import CaptionKey, OpinionRequest, opinion_request, opinions_in
from .prompt_checks import example_captions
from .repairs import NOT_REPAIRED, RepairRequest, repair_request
from .responses import ModelResponse

REPEATS_EXAMPLE = "it repeats an example of the prompt, and not this report"
NOT_A_FINDING = "advice, a limitation or an earlier examination: it says nothing of what is found in an organ now"


class AnsweredReport(NamedTuple):
    """A report with all answers about it so far."""

    report: Report
    responses: Sequence[ModelResponse]


class VerifiedReport(NamedTuple):
    """The outcome of a report, packed.

    - ``failed``: whether a question about the report got no usable answer.
    - ``accepted``, ``refused``: the number of captions, without duplicates.
    - ``repairable``: the refused captions that may go back to the model.
    - ``questionable``: those that a model may be asked about for a second opinion.
    """

    packed: bytes
    failed: bool
    accepted: int
    refused: int
    repairable: list[RepairRequest]
    questionable: list[OpinionRequest]


class AnswerVerifier:
    """Verifies the answers about reports, in a worker process.

    ``repairs``: whether refused captions will go back to the model; ``opinions``: whether a model will be asked about
    those that are refused for words alone; ``language``: which reports it was asked about. Without a ``verifier`` one
    is built that knows the ``words`` of a site.
    """

    def __init__(
        self,
        prompt: Prompt,
        repairs: bool = False,
        verifier: Verifier | None = None,
        opinions: bool = False,
        language: LanguageChoice = "en",
        words: SiteWords = OURS,
    ) -> None:
        self._form: AnswerForm = prompt.file.response.form
        self._organs = prompt.file.response.organs
        self._any_language = language == "any"
        self._limits, self._repair_limits = question_limits(prompt), repair_limits(prompt)
        self._examples = example_captions(prompt)
        self._repairs, self._opinions = repairs, opinions
        self._verifier = verifier or build_verifier(words)

    def __call__(self, reports: Sequence[AnsweredReport]) -> list[VerifiedReport]:
        """Return the verified form of each report."""
        return [self._verified(*report) for report in reports]

    def _verified(self, report: Report, responses: Sequence[ModelResponse]) -> VerifiedReport:
        review = _Review(self._verifier, responses)
        outcome = self.outcome(report, responses, review)
        refused = [row for row in outcome.refused if row.reason != Reason.DUPLICATE]
        open_rows = [row for row in refused if self._is_repairable(row)]
        repairable = [review.repair_request(row) for row in open_rows] if self._repairs else []
        questionable = [request for row in open_rows if self._opinions and (request := review.opinion_request(row))]
        counts = len(outcome.accepted), len(refused)
        return VerifiedReport(outcome.pack(), outcome.failed, *counts, repairable, questionable)

    def outcome(
        self, report: Report, responses: Sequence[ModelResponse], review: _Review | None = None
    ) -> ReportOutcome:
        """Return the outcome of a report; that of an error is a refusal, so that it does not lose other reports.

        ``review`` is made of ``responses``.
        """
        try:
            return self._outcome(report, responses, review or _Review(self._verifier, responses))
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            refusal = RefusedCaption("", "", Reason.ENGINE_ERROR, detail, None)
            return ReportOutcome([], [refusal], tuple(responses), failed=True)

    def _outcome(self, report: Report, responses: Sequence[ModelResponse], review: _Review) -> ReportOutcome:
        drafts, problems, oversized = self._read_answers(row for row in responses if row.kind in ("question", "retry"))
        outcome = self._verify(report, drafts, review)
        returned = repaired = 0
        repairs = [row for row in responses if row.kind == "repair" and row.content is not None]
        if repairs:
            accepted_before = len(outcome.accepted)
            returned = sum(map(self._is_repairable, outcome.refused))
            for row in repairs:
                answer = parse_answer(
                    row.content or "", row.finish_reason or "", "captions", limits=self._repair_limits
                )
                drafts += answer.drafts
                oversized += answer.oversized
            outcome = self._verify(report, drafts, review)
            repaired = len(outcome.accepted) - accepted_before
        return outcome._replace(
            refused=[*outcome.refused, *oversized, *problems],
            responses=tuple(responses),
            failed=bool(problems) or any(row.kind == "opinion" and row.error is not None for row in responses),
            returned=returned,
            repaired=repaired,
        )

    def _read_answers(
        self, responses: Iterable[ModelResponse]
    ) -> tuple[list[Draft], list[RefusedCaption], list[RefusedCaption]]:
        """Return the drafts of the answers that count, a refusal for each question without a usable answer, and one for
        each caption beyond the limits of the prompt.
        """
        drafts: list[Draft] = []
        problems: list[RefusedCaption] = []
        oversized: list[RefusedCaption] = []
        find_organ = narrow_to_caption if self._form == "organs" else resolve_organ_name
        for row, is_last in _answers_that_count(responses):
            if row.content is None:
                reason = Reason.TRUNCATED if row.finish_reason == TOO_LONG else Reason.ENGINE_ERROR
                problems.append(RefusedCaption("", "", reason, row.error or "", None))
                continue
            answer = parse_answer(row.content, row.finish_reason or "", self._form, self._organs, self._limits)
            oversized += answer.oversized
            drafts += [find_organ(self._verifier, draft) for draft in answer.drafts]
            if answer.problem is not None and is_last:
                problems.append(RefusedCaption("", "", *answer.problem, None))
        return drafts, problems, oversized

    def _verify(self, report: Report, drafts: Sequence[Draft], review: _Review) -> ReportOutcome:
        """Verify drafts; those that are no finding of now are refused, though the report says them."""
        non_findings = [draft for draft in drafts if self._is_non_finding(draft.caption)]
        findings = [draft for draft in drafts if draft not in non_findings]
        outcome = verify_drafts(
            self._verifier, report, findings, show_repeats=True, any_language=self._any_language, review=review
        )
        statements = self._verifier.read(report.text, report.sections).by_words
        refused = [
            row if normalised(row.caption) in statements else self._with_copied_example(row) for row in outcome.refused
        ]
        refused += [
            RefusedCaption(draft.organ, draft.caption, Reason.NOT_GROUNDED, NOT_A_FINDING, None)
            for draft in non_findings
        ]
        return outcome._replace(refused=refused)

    def _is_non_finding(self, caption: str) -> bool:
        """Return whether a caption tells nothing but advice, a limitation, or what was found earlier."""
        analysis = self._verifier.parser.parse(caption)
        caption_units = clauses_of(analysis)
        return bool(caption_units) and not without_non_findings(caption_units, analysis)

    def _with_copied_example(self, row: RefusedCaption) -> RefusedCaption:
        """Return the refusal with another detail where the caption was copied from an example of the prompt."""
        if row.reason == Reason.DUPLICATE or normalised(row.caption) not in self._examples:
            return row
        return row._replace(reason=Reason.NOT_GROUNDED, detail=REPEATS_EXAMPLE)

    def _is_repairable(self, row: RefusedCaption) -> bool:
        return row.reason not in NOT_REPAIRED and bool(row.nearest) and row.detail != REPEATS_EXAMPLE


class _Review:
    """Receives refused captions: accepts those whose words mean the same by an opinion, keeps the other refusals."""

    def __init__(self, verifier: Verifier, responses: Sequence[ModelResponse]) -> None:
        self._verifier, self._opinions = verifier, opinions_in(responses)
        self._asked = {(row.organ, row.caption) for row in responses if row.kind == "opinion"}
        self._refusals: dict[CaptionKey, tuple[ReadReport, Verification]] = {}

    def __call__(self, report: ReadReport, caption: str, refusal: Verification) -> Verification:
        """Return what holds of a caption that was refused."""
        equal_words = self._opinions.get((refusal.organ, caption))
        if equal_words:
            verification = verify_with_equal_words(self._verifier, report, caption, refusal, equal_words)
            if verification is not None:
                return verification
        self._refusals[refusal.organ, caption] = report, refusal
        return refusal

    def repair_request(self, row: RefusedCaption) -> RepairRequest:
        """Return what to tell the model of a refused caption."""
        return repair_request(self._verifier, row, self._refusals.get((row.organ, row.caption)))

    def opinion_request(self, row: RefusedCaption) -> OpinionRequest | None:
        """Return what to ask of a refused caption that nobody was asked about; None where there is nothing to ask."""
        refused = self._refusals.get((row.organ, row.caption))
        if refused is None or (row.organ, row.caption) in self._asked:
            return None
        return opinion_request(row.caption, refused[1])


def _answers_that_count(responses: Iterable[ModelResponse]) -> Iterator[tuple[ModelResponse, bool]]:
    """Yield the retries of each question, and its first answer where it has none, or none was answered.

    Each comes with whether it is the last answer to its question.
    """
    for _, group in groupby(responses, key=lambda row: row.number):
        rows = list(group)
        retries = [row for row in rows if row.kind == "retry"]
        counting = retries if any(row.content is not None for row in retries) else rows
        yield from ((row, row.kind == "retry" or not retries) for row in counting)
