"""Extraction by one text engine and one verifier: of each report the captions accepted and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from curation.caption import AcceptedCaption, MadeBy, Reason, RefusedCaption, ReportOutcome
from curation.caption_set.shards import REPORTS_PER_PART
from curation.caption_set.unknown_words import DETAIL
from curation.language.site_words import OURS, SiteWords
from curation.privacy.marks import PHI_DETAIL, marked_evidence
from curation.report import Report
from curation.report_language.languages import LanguageChoice
from curation.runtime.processes import workers
from curation.verification.other_bases.quoted_captions import quoted_passage, quoted_statements, verify_quoted
from curation.verification.report_statements import ReadReport, normalised
from curation.verification.verifier import Verifier, build_verifier

from .duplicates import split_repeated
from .recipe import BATCH_REPORTS, CaptionVerifier, OpenPool, Options, PackedOutcome

if TYPE_CHECKING:
    from curation.caption import Draft
    from curation.engines.base import TextEngine
    from curation.runtime.progress import Progress
    from curation.verification.answers import Verification


@dataclass(frozen=True, slots=True)
class TextRecipe:
    """Makes captions with an engine that works on the text itself.

    Picklable: each worker process calls ``build`` for an engine and a verifier of its own.
    """

    made_by: MadeBy
    build: Callable[[], tuple[TextEngine, CaptionVerifier]]
    options: Options = field(default_factory=dict)
    prompt_file: bytes | None = None
    words: SiteWords = OURS
    language: LanguageChoice = "en"
    reports_per_part: int = REPORTS_PER_PART
    batch_reports: int = BATCH_REPORTS

    @contextmanager
    def started(self, progress: Progress) -> Iterator[OpenPool]:
        """Yield the function that opens a pool; nothing has to be loaded first."""
        yield lambda captions, count: workers(partial(Curator, self), count)


def rules_recipe(words: SiteWords = OURS) -> TextRecipe:
    """Return the recipe of the built-in engine, the rules, which know the words of a site beside ours."""
    from curation.engines.rules import RulesEngine

    made_by = MadeBy(RulesEngine.name, RulesEngine.model, RulesEngine.prompt)
    return TextRecipe(made_by, partial(_build_rules, words), words=words)


def _build_rules(words: SiteWords) -> tuple[TextEngine, CaptionVerifier]:
    """Build engine and verifier with one reader: what one has analysed, the other need not analyse again."""
    from curation.engines.rules import RulesEngine

    verifier = build_verifier(words)
    return RulesEngine(verifier), verifier


class Curator:
    """Runs one engine and one verifier over batches of reports, in a worker process or in this one."""

    def __init__(self, recipe: TextRecipe) -> None:
        self._made_by = recipe.made_by
        self._engine, self._verifier = recipe.build()

    def __call__(self, reports: Sequence[Report]) -> list[PackedOutcome]:
        """Return the packed outcome of each report, in their order."""
        outcomes = map(self._outcome, reports, self._drafts(reports))
        return [(outcome.pack(), outcome.failed) for outcome in outcomes]

    def _drafts(self, reports: Sequence[Report]) -> list[list[Draft] | Exception]:
        """Return the drafts of each report, or the error that the engine raised on it.

        Where the engine fails on a batch, each report is tried alone, so that one harms no other.
        """
        try:
            drafts = [list(drafts) for drafts in self._engine.extract(reports)]
            if len(drafts) != len(reports):
                raise RuntimeError(f"the engine answered {len(drafts)} of {len(reports)} reports")
        except Exception as error:
            if len(reports) == 1:
                return [error]
            return [self._drafts([report])[0] for report in reports]
        return list(drafts)

    def _outcome(self, report: Report, drafts: list[Draft] | Exception) -> ReportOutcome:
        if isinstance(drafts, Exception):
            return failed_outcome(drafts)
        try:
            # The rules repeat what a report repeats; of another engine that is worth knowing.
            return verify_drafts(self._verifier, report, drafts, show_repeats=self._made_by.engine != "rules")
        except Exception as error:
            return failed_outcome(error)


def verify_drafts(
    verifier: CaptionVerifier,
    report: Report,
    drafts: Iterable[Draft],
    *,
    show_repeats: bool,
    any_language: bool = False,
    review: Callable[[ReadReport, str, Verification], Verification] = lambda report, caption, refusal: refusal,
) -> ReportOutcome:
    """Verify drafts against their report and return the captions accepted and refused.

    ``show_repeats``: captions that say nothing new are refused as duplicates; otherwise they are dropped. Where the
    report, or a good part of it, is in another language, that is one more refusal, of no caption; unless with
    ``any_language`` captions of it are verified by what they quote. Quotes in English are where the verifier looks
    first. ``review`` is given each caption that is refused, with the prepared report, and returns what is to hold of
    it.
    """
    prepared = verifier.read(report.text, report.sections)
    accepted, refused = [], []
    for draft in drafts:
        if draft.not_understood:
            refused.append(_not_understood(prepared, draft))
            continue
        if any_language and isinstance(verifier, Verifier) and _is_of_foreign_passage(prepared, draft):
            verdict = verify_quoted(verifier, prepared, draft)
        else:
            verdict = verifier.verify(prepared, draft.organ, draft.caption, _near(prepared, draft))
        if not verdict.accepted:
            verdict = review(prepared, draft.caption, verdict)
        if verdict.accepted and (evidence := marked_evidence(report.text, verdict.spans)):
            refused.append(RefusedCaption(verdict.organ, draft.caption, Reason.PHI, PHI_DETAIL, evidence))
        elif verdict.accepted:
            accepted.append(_accepted(report, draft.caption, verdict))
        else:
            reason = verdict.reason or Reason.NOT_GROUNDED
            refused.append(RefusedCaption(verdict.organ, draft.caption, reason, verdict.detail or "", verdict.nearest))
    kept, repeated = split_repeated(
        accepted, lambda caption, organ: verifier.claims(_wording_of(caption, prepared), organ)
    )
    if show_repeats:
        refused += [_duplicate(report, row) for row in repeated]
    if not isinstance(prepared, ReadReport):  # of a verifier that tells no languages
        return ReportOutcome(kept, refused)
    if not any_language:
        refused += foreign_refusal(prepared)
    refused += machine_refusal(prepared)
    return ReportOutcome(kept, refused, language=prepared.language.code)


def _not_understood(report: Any, draft: Draft) -> RefusedCaption:
    """Return the refusal of a draft that rests on words that its engine does not know."""
    nearest = None
    if draft.statement is not None and isinstance(report, ReadReport):
        statement = report.statements[draft.statement]
        nearest = report.text[statement.start : statement.end]
    detail = f"{DETAIL}{draft.not_understood}"
    return RefusedCaption(draft.organ, draft.caption, Reason.NOT_UNDERSTOOD, detail, nearest)


def _wording_of(caption: str, report: Any) -> str:
    """Return the statement that a caption repeats, which is parsed already; a caption that repeats none itself."""
    numbers = report.by_words.get(normalised(caption)) if isinstance(report, ReadReport) else None
    return report.statements[numbers[0]].parse.text if numbers else caption


def _is_of_foreign_passage(report: ReadReport, draft: Draft) -> bool:
    """Return whether a draft is about what is not English in its report."""
    return report.language.is_foreign or any(quoted_passage(report, quote) is not None for quote in draft.quotes)


def _near(report: Any, draft: Draft) -> Sequence[int]:
    """Return the numbers of the statements that a draft was made from, or that it quotes."""
    if draft.statement is not None:
        return (draft.statement,)
    return quoted_statements(report, draft.quotes) if draft.quotes and isinstance(report, ReadReport) else ()


def foreign_refusal(report: ReadReport) -> list[RefusedCaption]:
    """Return the refusal of what is in another language in a report; none where that is little and says nothing.

    A letterhead is little; a passage that would be read as English, were it not for its language, is never.
    """
    if not report.foreign or not (report.language.notable or any(passage.names_organ for passage in report.foreign)):
        return []
    first = report.foreign[0]
    nearest = report.text[first.start : first.end]
    return [RefusedCaption("", "", Reason.LANGUAGE, report.language.sentence(), nearest)]


def machine_refusal(report: ReadReport) -> list[RefusedCaption]:
    """Return the refusal of what is meant for a machine in a report, one for all of it; none where nothing is."""
    if not report.for_machines:
        return []
    passages = report.for_machines
    count = f"{len(passages)} statement{'s are' if len(passages) > 1 else ' is'} meant for a machine, not for people"
    nearest = report.text[passages[0].start : passages[0].end]
    return [RefusedCaption("", "", Reason.MACHINE_TEXT, count, nearest)]


def _accepted(report: Report, caption: str, verdict: Verification) -> AcceptedCaption:
    """Return the row of an accepted caption. Raises ``ValueError`` for a verdict without evidence in the report."""
    if verdict.status is None or verdict.section is None or not 0 <= verdict.start < verdict.end <= len(report.text):
        raise ValueError(f"accepted without status, section or evidence: {verdict}")
    span = (verdict.start, verdict.end)
    several = verdict.spans if len(verdict.spans) > 1 else ()
    return AcceptedCaption(
        verdict.organ, caption, verdict.status, *span, verdict.section, verdict.score, verdict.basis, several
    )


def failed_outcome(error: Exception) -> ReportOutcome:
    """Return the outcome of a report on which the engine or the verifier raised ``error``."""
    detail = f"{type(error).__name__}: {error}"
    return ReportOutcome([], [RefusedCaption("", "", Reason.ENGINE_ERROR, detail, None)], failed=True)


def _duplicate(report: Report, row: AcceptedCaption) -> RefusedCaption:
    detail = "an earlier caption of this report says the same"
    return RefusedCaption(row.organ, row.caption, Reason.DUPLICATE, detail, report.text[row.start : row.end])
