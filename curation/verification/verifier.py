"""The verifier: is a caption in its report, where exactly, and if not, why.

One verifier serves every engine and ``ovct verify``. It locates the caption among the report's statements, snaps it to
the statement around it, and refuses it unless that statement carries all of it (``entailment.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from curation.caption import Reason, Status
from curation.language.analysis import CACHED, Reader
from curation.language.statements import split_statements
from prompts.vocabulary import Vocabulary

from .entailment import Entailment, Finding
from .statements_read import ReadReport, ReportReader, Statement, normalised
from .status import status_of

CANDIDATES = 4
"""Statements, best covered first, that a caption is held against."""
GROUNDED = 0.5
"""Share of a caption that one statement must carry for its refusal to be about a detail and not about the whole."""
_DENIAL = re.compile(r",?\s+(?=without\b|with no\b)|[,;]\s+(?:(?:and|but)\s+)?(?=no\b)", re.IGNORECASE)
"""Where a caption goes on to deny something, which another statement may say: "Gallstones without dilated ducts"."""
LONGEST_RUN = 4
"""Statements about one subject that are read together where a caption draws on several."""
FARTHEST = 1500
"""Characters that the evidence of a caption of several sentences may span."""


class Verdict(NamedTuple):
    """What the report says to a caption. ``start`` and ``end`` are -1 where nothing in the report comes near it;
    ``score`` (0 to 100) is the share of the caption that its evidence carries."""

    accepted: bool
    organ: str
    status: Status | None
    reason: Reason | None
    detail: str | None
    start: int
    end: int
    section: str | None
    score: float
    nearest: str | None


class Verifier:
    """Holds captions against reports. ``read`` a report once, then ``verify`` each of its captions."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self.reader = Reader(vocabulary)
        self.entailment = Entailment(self.reader)
        self.resolve = self.reader.anatomist.resolve
        reports = ReportReader(self.reader)
        self.read = reports.read
        self._keys = lru_cache(maxsize=CACHED)(reports.keys)
        self._parts = lru_cache(maxsize=CACHED)(_sentences)
        self._claims = lru_cache(maxsize=CACHED)(self._claims_of)
        self._status = lru_cache(maxsize=CACHED)(self._status_of)

    def verify(self, report: ReadReport, organ: str, caption: str, near: int | None = None) -> Verdict:
        """Hold one caption, filed under ``organ`` (any name the vocabulary knows), against its report.

        ``near`` is the number of the statement to look at first; it speeds up and settles ties, and decides nothing.
        """
        name = self.resolve(organ.strip()) if organ else None
        if not caption.strip():
            return _refused(organ, Reason.SCHEMA, "the caption is empty")
        if name is None:
            return _refused(organ, Reason.UNKNOWN_ORGAN, f"“{organ}” is not in the vocabulary")
        if near is not None:
            statement = report.statements[near]
            verbatim = normalised(caption) == statement.words
            verdict = self._verify_statement(report, name, caption, [statement], verbatim)
            if verdict.accepted:
                return verdict
        whole = report.by_words.get(normalised(caption))
        if whole is None:
            parts = self._parts(caption)
            if len(parts) > 1:
                return self._verify_parts(report, name, parts)
            caption = parts[0] if parts else caption  # without a list marker
            whole = report.by_words.get(normalised(caption))
        if whole:
            return self._verify_statement(report, name, caption, [report.statements[index] for index in whole], True)
        verdict = self._verify_statement(report, name, caption, self._candidates(report, caption))
        if not verdict.accepted and len(clauses := _DENIAL.split(caption)) > 1:
            apart = self._verify_parts(report, name, clauses)
            return apart if apart.accepted else verdict
        return verdict

    def claims(self, caption: str) -> frozenset[tuple[str, object]]:
        """What a caption says, with how it is meant: findings, grades and sizes. For comparing captions."""
        return self._claims(caption)

    def carries(self, statement: str, context: tuple[str, ...], organ: str, caption: str) -> bool:
        """Whether one statement, which goes on about ``context``, carries a caption filed under canonical ``organ``."""
        if normalised(caption) == normalised(statement):
            return not self.entailment.check_organ(statement, organ, context).problems
        return not self.entailment.check(caption, statement, organ, context).problems

    def _verify_statement(
        self, report: ReadReport, organ: str, caption: str, candidates: Sequence[Statement], verbatim: bool = False
    ) -> Verdict:
        best: tuple[Finding, Statement] | None = None
        for statement in candidates:
            text = statement.analysis.text
            if verbatim:
                finding = self.entailment.check_organ(text, organ, statement.context)
            else:
                finding = self.entailment.check(caption, text, organ, statement.context)
            if not finding.problems:
                return self._accepted(report, organ, text if verbatim else caption, statement, finding)
            if not verbatim and all(problem.final for problem in finding.problems):
                return _nearest(organ, finding, statement)
            if best is None or (len(finding.problems), -finding.coverage) < (len(best[0].problems), -best[0].coverage):
                best = (finding, statement)
        if best is None:
            return _refused(organ, Reason.NOT_GROUNDED, "no statement of the report comes near it")
        joined = None if verbatim else self._verify_run(report, organ, caption, candidates)
        return joined or _nearest(organ, *best)

    def _verify_run(
        self, report: ReadReport, organ: str, caption: str, candidates: Sequence[Statement]
    ) -> Verdict | None:
        """Acceptance by a statement with those that go on about it: "A cyst in the liver. It measures 5 mm." """
        wanted = self._keys(caption)
        for statement in candidates:
            first = statement.number if statement.anchor is None else statement.anchor
            run = self._run(report, first)
            if len(run) < 2 or not any((other.keys - run[0].keys) & wanted for other in run[1:]):
                continue
            text = ". ".join(other.analysis.text.rstrip(". ") for other in run)
            finding = self.entailment.check(caption, text, organ, run[0].context)
            if not finding.problems:
                verdict = self._accepted(report, organ, caption, run[0], finding)
                return verdict._replace(end=_last_used(run, wanted).end)
        return None

    def _run(self, report: ReadReport, first: int) -> list[Statement]:
        """The statement numbered ``first`` and those behind it, in its section, that name no organ of their own."""
        run = [report.statements[first]]
        for other in report.statements[first + 1 : first + LONGEST_RUN]:
            if other.organs or other.anchor != first or other.section != run[0].section:
                break
            run.append(other)
        return run

    def _accepted(
        self, report: ReadReport, organ: str, caption: str, statement: Statement, finding: Finding
    ) -> Verdict:
        start = statement.start
        if finding.uses_context and statement.anchor is not None:
            start = report.statements[statement.anchor].start
        return Verdict(
            accepted=True,
            organ=organ,
            status=self._status(caption),
            reason=None,
            detail=None,
            start=start,
            end=statement.end,
            section=statement.section,
            score=round(100 * finding.coverage, 1),
            nearest=None,
        )

    def _verify_parts(self, report: ReadReport, organ: str, parts: Sequence[str]) -> Verdict:
        """A caption of several sentences is kept if each is, and if they stand near each other."""
        verdicts = []
        for part in parts:
            verdict = self.verify(report, organ, part)
            if not verdict.accepted:
                return verdict
            verdicts.append(verdict)
        start, end = min(v.start for v in verdicts), max(v.end for v in verdicts)
        if end - start > FARTHEST or len({v.section for v in verdicts}) > 1:
            return _refused(organ, Reason.NOT_GROUNDED, "its sentences come from distant parts of the report")
        return verdicts[0]._replace(
            start=start,
            end=end,
            status=self._status(*parts),
            score=round(sum(v.score for v in verdicts) / len(verdicts), 1),
        )

    def _candidates(self, report: ReadReport, caption: str) -> list[Statement]:
        wanted, words = self._keys(caption), normalised(caption)
        scored = []
        for statement in report.statements:
            shared = len(wanted & statement.keys)
            if shared:
                exact = words in statement.words
                scored.append((exact, shared, -statement.number))
        scored.sort(reverse=True)
        least = scored[0][1] / 2 if scored else 0  # what shares half as much as the best carries none of the rest
        return [report.statements[-index] for exact, shared, index in scored[:CANDIDATES] if exact or shared > least]

    def _claims_of(self, caption: str) -> frozenset[tuple[str, object]]:
        return frozenset(
            (item.key, item.measure.values if item.measure else item.polarity)
            for item in self.reader.analyse(caption).items
            if item.kind in ("finding", "modifier", "measure") and not item.attribute
        )

    def _status_of(self, *parts: str) -> Status:
        return status_of(*(self.reader.analyse(part) for part in parts))


def _sentences(caption: str) -> tuple[str, ...]:
    return tuple(caption[first:last] for first, last in split_statements(caption))


def _last_used(run: Sequence[Statement], wanted: frozenset[str]) -> Statement:
    """The last statement of a run that brings something to a caption with the keys ``wanted``."""
    seen: set[str] = set()
    last = run[0]
    for statement in run:
        if (statement.keys & wanted) - seen:
            last = statement
        seen |= statement.keys
    return last


def _nearest(organ: str, finding: Finding, statement: Statement) -> Verdict:
    """Refusal with the statement that comes nearest."""
    problem = finding.problems[0]
    verdict = _refused(organ, problem.reason, problem.detail)
    if finding.coverage < GROUNDED:
        verdict = _refused(organ, Reason.NOT_GROUNDED, "no statement of the report carries it")
    return verdict._replace(
        start=statement.start,
        end=statement.end,
        section=statement.section,
        score=round(100 * finding.coverage, 1),
        nearest=statement.analysis.text,
    )


def _refused(organ: str, reason: Reason, detail: str) -> Verdict:
    return Verdict(False, organ, None, reason, detail, -1, -1, None, 0.0, None)
