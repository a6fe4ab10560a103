"""Does one statement of a report carry all that a caption says? The checks behind every acceptance and refusal.

A caption may say less than its evidence, in another order or in synonyms. It may not say more, and it may not lose what
turns the meaning: a negation, a hedge, an exception, "previously".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from curation.caption import Reason
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import CACHED_STATEMENTS, StatementParser
from curation.language.structure.clauses import clauses_of
from curation.language.structure.quality_kinds import is_whereabouts
from curation.language.structure.shared_tails import completed_text

from .clause_matching import CarriedClause, ClauseMatch, ClauseMatcher
from .denials.denied_places import DeniedPlaces
from .filing import FilingCheck
from .joined.earlier_sizes import compares_sizes, with_earlier_sizes
from .joined.independent_claims import ClaimCutter
from .joined.joined_statements import JoinedEvidence, JoinedStatements
from .missing_words import is_of_word, may_be_renamed
from .omissions import denial_cues, omissions
from .organs import OrganRelations, subject_organs
from .refusals import RefusalCause
from .report_statements import ReadReport, normalised


@dataclass(slots=True)
class CheckResult:
    """The outcome of a check of a caption against one statement, which carries it where there are no ``causes``.

    The first cause is the one that is reported. ``coverage`` is the share of the caption that is carried (0 to 1);
    ``uses_context``: an organ of the caption is named by an earlier statement.
    """

    causes: list[RefusalCause] = field(default_factory=list)
    coverage: float = 0.0
    uses_context: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The words of the caption that the statement lacks, each once."""
        return tuple(dict.fromkeys(cause.missing for cause in self.causes if cause.missing))


class Entailment:
    """Checks captions against statements; one parser reads both."""

    def __init__(self, parser: StatementParser) -> None:
        self.parser = parser
        relations = OrganRelations(parser)
        self._matcher = ClauseMatcher(parser, relations)
        self._filing = FilingCheck(parser, relations, self._matcher)
        self._denied_places = DeniedPlaces(parser, relations)
        self.joined = JoinedStatements(parser, self._matcher, self._filing, relations)
        self.claims = ClaimCutter(parser)
        self._cached_check = lru_cache(maxsize=CACHED_STATEMENTS)(self._check)
        self._cached_check_organ = lru_cache(maxsize=CACHED_STATEMENTS)(self._check_organ)

    def check(self, caption: str, statement: str, organ: str, context: tuple[str, ...]) -> CheckResult:
        """Check ``caption`` about canonical ``organ`` against ``statement``, which goes on about ``context``.

        What its lists share is also read in each of their members (``shared_tails.py``).
        """
        result = self._cached_check(caption, statement, organ, context)
        if result.causes and (completed := completed_text(self.parser.parse(statement))):
            of_completed = self._cached_check(caption, completed, organ, context)
            return result if of_completed.causes else of_completed
        return result

    def find_in_several(
        self, report: ReadReport, organ: str, caption: str, keys: frozenset[str]
    ) -> JoinedEvidence | None:
        """Return the statements that carry a caption about canonical ``organ`` together; ``keys`` are the caption's."""
        if evidence := self.joined.find(report, organ, caption, keys):
            return evidence
        if compares_sizes(self.parser.parse(caption)):
            for text, statement, following in with_earlier_sizes(report):
                result = self.check(caption, text, organ, statement.subject)
                if not result.causes:
                    return JoinedEvidence((statement, following), result.coverage)
        return None

    def check_organ(self, statement: str, organ: str, context: tuple[str, ...]) -> CheckResult:
        """Check a caption that repeats the whole of ``statement`` against it: only its organ can be wrong."""
        return self._cached_check_organ(statement, organ, context)

    def lacks_only_words(self, caption: str, statement: str, organ: str, context: tuple[str, ...]) -> bool:
        """Tell whether the statement carries all of a caption that it does not carry, but for words of a finding.

        Then organ, side, numbers, denial, doubt, time and exceptions are in order. ``missing_words.py`` says which
        words these may be.
        """
        causes = self.check(caption, statement, organ, context).causes
        if not causes or not all(cause.of_word for cause in causes):
            return False
        claim, evidence = self.parser.parse(caption), self.parser.parse(statement)
        matches = self._matcher.match(caption, statement, organ, context)
        carried = [CarriedClause(match.clause.clause, match.segment) for match in matches]
        if _denies_present_organ(claim, evidence) or any(
            self._other_causes(carried, caption, statement, organ, context)
        ):
            return False
        return all(may_be_renamed(match, claim) for match in matches if match.mismatches)

    def _check_organ(self, statement: str, organ: str, context: tuple[str, ...]) -> CheckResult:
        parse = self.parser.parse(statement)
        carried = [CarriedClause(clause, index) for index, clause in enumerate(clauses_of(parse))]
        return CheckResult(list(self._filing.causes(carried, parse, organ, context)), coverage=1.0)

    def _check(self, caption: str, statement: str, organ: str, context: tuple[str, ...]) -> CheckResult:
        claim, evidence = self.parser.parse(caption), self.parser.parse(statement)
        if not evidence.segments:
            return CheckResult([RefusalCause(Reason.NOT_GROUNDED, "the statement says nothing that can be compared")])
        matches = self._matcher.match(caption, statement, organ, context)
        carried = [CarriedClause(match.clause.clause, match.segment) for match in matches]
        causes = [
            mismatch.cause(claim.text_of(term), match.evidence.organ_names(), is_of_word(mismatch, term))
            for match in matches
            for mismatch, term in match.mismatches
        ]
        if not any(map(_says_something, claim.terms)) and (
            normalised(caption) not in normalised(statement) or _segments_say_something(carried, evidence, claim)
        ):
            causes.append(RefusalCause(Reason.NOT_GROUNDED, "it names an organ and says nothing of it"))
        if not causes and _denies_present_organ(claim, evidence):
            causes.append(RefusalCause(Reason.NEGATION, "the evidence does not deny the organ itself"))
        if not causes:
            causes.extend(self._other_causes(carried, caption, statement, organ, context))
        return CheckResult(causes, _coverage(matches), any(match.uses_context for match in matches))

    def _other_causes(
        self, carried: Sequence[CarriedClause], caption: str, statement: str, organ: str, context: tuple[str, ...]
    ) -> Iterator[RefusalCause]:
        """Yield the causes that do not lie in a word of the caption: what it leaves off, and where it is filed."""
        claim, evidence = self.parser.parse(caption), self.parser.parse(statement)
        yield from omissions(carried, claim, evidence, organ, self.parser.organ_finder.related)
        yield from self._denied_places.dropped(carried, claim, evidence, organ)
        yield from self._filing.causes(carried, evidence, organ, context)


def _coverage(matches: Iterable[ClauseMatch]) -> float:
    """Return the share of a caption that is carried; each clause counts by the terms of its own."""
    carried = total = 0.0
    for match in matches:
        weight = max(1, len(match.clause.clause.segment.terms))
        carried, total = carried + match.share * weight, total + weight
    return carried / total if total else 0.0


def _says_something(term: Term) -> bool:
    """Tell whether a term says more than where."""
    mention = term.mention
    if term.kind in ("organ", "side"):
        return mention is not None and (mention.device or mention.finding)
    return not is_whereabouts(term)


def _segments_say_something(
    carried: Sequence[CarriedClause], evidence: ParsedStatement, claim: ParsedStatement
) -> bool:
    """Tell whether the segments that a caption was cut from say more than where: "the liver is", of a normal liver.

    A mere name, such as "Kidneys" of "Kidneys: small", is cut from all of its statement.
    """
    if all(segment.verb is None for segment in claim.segments):
        return any(map(_says_something, evidence.terms))
    return any(_says_something(term) for _, index in carried for term in evidence.segments[index].terms)


def _denies_present_organ(claim: ParsedStatement, evidence: ParsedStatement) -> bool:
    """Tell whether a caption denies an organ, and nothing else, of which its evidence reports a finding: "no liver"."""
    if not denial_cues(claim) or any(term.kind not in ("organ", "side", "negation") for term in claim.terms):
        return False
    denied_organs = set(subject_organs(claim.terms))
    segments = [segment for segment in evidence.segments if denied_organs.intersection(subject_organs(segment.terms))]
    return any(
        term.kind in ("finding", "measure") and not is_whereabouts(term) and not _is_absence(term)
        for segment in segments
        for term in segment.terms
    )


def _is_absence(term: Term) -> bool:
    """Tell whether a finding itself denies an organ: "hysterectomy" does the uterus."""
    return term.entry is not None and "absent_organ" in term.entry.flags
