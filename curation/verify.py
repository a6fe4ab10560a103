"""The verifier: is a caption in its report, where exactly, and if not, why.

One verifier serves every engine and ``ovct verify``. It locates the caption among the report's statements, snaps it to
the statement around it, and refuses it unless that statement carries all of it (``entailment.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from prompts.vocabulary import Vocabulary

from .analysis import Reader
from .entailment import Entailment, Finding
from .reading import ReadReport, Statement, normalised, read_report
from .reports import Section
from .schemas import Reason, Status
from .statements import split_statements
from .status import status_of

CANDIDATES = 4
"""Statements, best covered first, that a caption is held against."""
GROUNDED = 0.5
"""Share of a caption that one statement must carry for its refusal to be about a detail and not about the whole."""
FARTHEST = 1500
"""Characters that the evidence of a caption of several sentences may span."""


@dataclass(frozen=True, slots=True)
class Verdict:
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
        self._keys = lru_cache(maxsize=50_000)(self._keys_of)

    def read(self, text: str, sections: Sequence[Section] = ()) -> ReadReport:
        """Cut a report into statements and analyse them."""
        return read_report(self.reader, text, sections)

    def verify(self, report: ReadReport, organ: str, caption: str) -> Verdict:
        """Hold one caption, filed under ``organ`` (any name the vocabulary knows), against its report."""
        name = self.resolve(organ.strip()) if organ else None
        if not caption.strip():
            return _refused(organ, Reason.SCHEMA, "the caption is empty")
        if name is None:
            return _refused(organ, Reason.UNKNOWN_ORGAN, f"“{organ}” is not in the vocabulary")
        parts = [caption[span.start : span.end] for span in split_statements(caption)]
        if len(parts) > 1 and normalised(caption) not in report.by_words:
            return self._verify_parts(report, name, parts)
        if len(parts) == 1:
            caption = parts[0]  # without a list marker
        words = normalised(caption)
        whole = report.by_words.get(words)
        candidates = [report.statements[i] for i in whole] if whole else self._candidates(report, caption, words)
        return self._verify_statement(report, name, caption, candidates)

    def _verify_statement(
        self, report: ReadReport, organ: str, caption: str, candidates: Sequence[Statement]
    ) -> Verdict:
        best: tuple[Finding, Statement] | None = None
        for statement in candidates:
            finding = self.entailment.check(caption, statement.analysis.text, organ, statement.context)
            if not finding.problems:
                return self._accepted(report, organ, caption, statement, finding)
            if best is None or (len(finding.problems), -finding.coverage) < (len(best[0].problems), -best[0].coverage):
                best = (finding, statement)
        if best is None:
            return _refused(organ, Reason.NOT_GROUNDED, "no statement of the report comes near it")
        finding, statement = best
        problem = finding.problems[0]
        verdict = _refused(organ, problem.reason, problem.detail)
        if finding.coverage < GROUNDED:
            verdict = _refused(organ, Reason.NOT_GROUNDED, "no statement of the report carries it")
        return replace(
            verdict,
            start=statement.start,
            end=statement.end,
            section=statement.section,
            score=round(100 * finding.coverage, 1),
            nearest=statement.analysis.text,
        )

    def _accepted(
        self, report: ReadReport, organ: str, caption: str, statement: Statement, finding: Finding
    ) -> Verdict:
        start = statement.start
        if finding.uses_context and statement.anchor is not None:
            start = report.statements[statement.anchor].start
        return Verdict(
            accepted=True,
            organ=organ,
            status=status_of(self.reader.analyse(caption)),
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
        return replace(
            verdicts[0],
            start=start,
            end=end,
            status=status_of(*(self.reader.analyse(part) for part in parts)),
            score=round(sum(v.score for v in verdicts) / len(verdicts), 1),
        )

    def _candidates(self, report: ReadReport, caption: str, words: str) -> list[Statement]:
        wanted = self._keys(caption)
        scored = []
        for statement in report.statements:
            shared = len(wanted & self._keys(statement.analysis.text))
            if shared:
                exact = words in statement.analysis.text.lower()
                scored.append((exact, shared, -len(statement.analysis.tokens), -statement.index))
        scored.sort(reverse=True)
        return [report.statements[-index] for *_, index in scored[:CANDIDATES]]

    def _keys_of(self, text: str) -> frozenset[str]:
        """All that a statement may be recognised by: findings and their parts, numbers, organs and what they belong to."""
        keys: set[str] = set()
        for item in self.reader.analyse(text).items:
            if item.mention:
                for name in item.mention.names:
                    keys |= {name, *self.reader.vocabulary.organs[name].parents}
            elif item.measure:
                keys |= {f"{item.measure.kind} {value}" for value in item.measure.values}
            elif item.kind in ("finding", "modifier"):
                keys |= {item.key, *item.parts}
        return frozenset(keys)


def _refused(organ: str, reason: Reason, detail: str) -> Verdict:
    return Verdict(False, organ, None, reason, detail, -1, -1, None, 0.0, None)
