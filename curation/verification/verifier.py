"""The verifier: is a caption in its report, where exactly, and if not, why.

One verifier serves every engine and ``ovct verify``. It finds the statements of the report that a caption may come from
and accepts it if one of them carries it: says all that the caption says, in these or other words. The chain, from a
report down to a word, with the reasons that each module gives:

======================  ===============================================================================================
``verifier``            which statements are tried, alone and together, and which answer stands:
                        ``schema`` (an empty caption), ``language``, ``unknown_organ``, ``not_grounded``
``answers``             what is answered about a caption
``caption_reading``     a caption as it is compared: its clean text, in normalised words
``report_statements``   what the statements of a report are, and which organs one that names none goes on about
``entailment``          does one statement carry the caption: ``not_grounded`` where the caption only names an organ,
                        ``negation`` where it denies an organ that is there; else the modules below, in this order
``clause_matching``     which segment of the statement carries each clause of the caption best; it matches
``  organ_matching``    organs and sides: ``wrong_organ``, ``laterality``; ``negation`` of the organ itself
``  words``             measures, findings, qualifiers: ``measurement``, ``not_grounded``, ``modifier``, ``negation``
``omissions``           what is left off and turns the meaning: ``modifier``, ``negation``
``filing``              the organ that the caption is filed under: ``wrong_organ``, ``laterality``
``joined``              where no single statement carries a caption: do several that speak of the same
``status``              of an accepted caption: normal, abnormal or uncertain
======================  ===============================================================================================

``omissions`` and ``filing`` are asked only where the statement carries every clause, ``clauses`` (a size or place of
another finding) where a segment has all of one. ``evidence`` stores what it offers, ``organs`` how organs relate.

Which reason wins: of the statements tried that with the fewest causes, of equals the one that carries most; of its
causes the first, in the order of the caption. But where it carries less than ``GROUNDED`` of the caption, the reason is
``not_grounded``: the caption is not wrong in a detail, it is not in the report. The search ends at a statement of which
all causes are final (it says the opposite of the organ itself). Of a caption of several sentences the first that is
refused decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

from curation.caption import Reason, Status
from curation.language.lexicon.lexicon import Lexicon
from curation.language.organ_columns import resolve_organ
from curation.language.parser import CACHED_STATEMENTS, StatementParser
from curation.language.site_words import OURS, SiteWords
from curation.language.statements import split_statements
from curation.report import Section
from prompts.vocabulary import Vocabulary

from .answers import Verification, accepted, merged_spans, refused, refused_at
from .caption_reading import claims_of, on_side_of_organ, read_caption, refusal_unread
from .entailment import CheckResult, Entailment
from .joined.claim_evidence import verified_cut
from .joined.references import goes_on_about, refers_back
from .reactions import Reactions
from .report_statements import ReadReport, ReportReader, ReportStatement, normalised
from .status import status_of

GROUNDED = 0.5
"""Share of a caption that one statement must carry for its refusal to be about a detail and not about the whole."""

VerifiedClaims = dict[tuple[str, str], Verification]
"""The answers about the claims of one caption, by organ and claim."""


class Verifier:
    """Verifies captions against reports. ``read`` a report once, then ``verify`` each of its captions."""

    def __init__(self, vocabulary: Vocabulary | None = None, lexicon: Lexicon | None = None) -> None:
        self.parser = StatementParser(vocabulary, lexicon)
        self.entailment = Entailment(self.parser)
        self._reports = ReportReader(self.parser)
        self._reactions = Reactions(self.carries, self.parser.vocabulary.organs)
        self._cached_sentences = lru_cache(maxsize=CACHED_STATEMENTS)(_sentences)
        self._cached_claims = lru_cache(maxsize=CACHED_STATEMENTS)(partial(claims_of, self.parser))
        self._cached_reading = lru_cache(maxsize=CACHED_STATEMENTS)(read_caption)
        self._cached_status = lru_cache(maxsize=CACHED_STATEMENTS)(self._status)

    def resolve(self, name: str) -> str | None:
        """Return the canonical name of an organ, or None where the vocabulary does not know it."""
        return resolve_organ(self.parser.vocabulary, name)

    def read(self, text: str, sections: Sequence[Section] = ()) -> ReadReport:
        """Read the sections of a report that hold findings; the whole text where there are no sections."""
        return self._reports.read(text, sections)

    def verify(self, report: ReadReport, organ: str, caption: str, near: Sequence[int] = ()) -> Verification:
        """Verify one caption, filed under ``organ`` (any name the vocabulary knows), against its report.

        ``near`` has the numbers of statements to look at first; they speed up and settle ties, and decide nothing.
        """
        if (problem := refusal_unread(organ, caption)) is not None:
            return problem
        verification = self._verify(report, organ, caption, near, {})
        if verification.accepted:
            return self._reactions.tried(report, caption, verification)
        if passage := report.machine_passage(caption):
            told = refused(verification.organ, Reason.MACHINE_TEXT, "the report says it to a machine, not to people")
            return refused_at(passage, report.text, told)
        if (sided := on_side_of_organ(self.parser, caption, verification.organ)) == caption:
            return verification
        on_side = self._verify(report, organ, sided, near, {})
        return self._reactions.tried(report, sided, on_side) if on_side.accepted else verification

    def _verify(
        self, report: ReadReport, organ: str, caption: str, near: Sequence[int], verified: VerifiedClaims
    ) -> Verification:
        """Verify a caption, or a claim of one; ``verified`` has the claims of the same caption that were before."""
        name = self.resolve(organ.strip()) if organ else None
        if report.language.is_foreign:
            return refused(name or organ, Reason.LANGUAGE, report.language.sentence())
        if name is None:
            return refused(organ, Reason.UNKNOWN_ORGAN, f"“{organ}” is not in the vocabulary")
        caption, words, is_form = self._cached_reading(caption)
        if report.foreign and (passage := report.foreign_passage(words)):
            foreign = refused(name, Reason.LANGUAGE, report.language.sentence())
            return refused_at(passage, report.text, foreign)
        if is_form:
            plain = self._plain(report, caption)
            if len(plain) != 1:
                nothing = refused(organ, Reason.NOT_GROUNDED, "the caption is a field that says nothing")
                return self._verify_parts(report, name, plain, verified) if plain else nothing
            caption, words = plain[0], normalised(plain[0])
        for statement in (report.statements[number] for number in near if not report.statements[number].heading):
            verbatim = words == statement.words
            verification = self._verify_in_statements(report, name, caption, [statement], verbatim)
            if verification.accepted:
                return verification
        numbers = report.by_words.get(words)
        if numbers is None:
            sentences = self._cached_sentences(caption)
            if len(sentences) > 1:
                return self._verify_parts(report, name, report.without_lead_in(sentences), verified)
            caption = sentences[0] if sentences else caption  # without a list marker
            numbers = report.by_words.get(normalised(caption))
        if numbers:
            verbatim_statements = [report.statements[number] for number in numbers]
            return self._verify_in_statements(report, name, caption, verbatim_statements, verbatim=True)
        candidates = self.near(report, caption)
        verification = self._verify_in_statements(report, name, caption, candidates)
        if verification.accepted:
            return verification
        return self._verify_cut(report, name, caption, verified) or verification

    def near(self, report: ReadReport, caption: str) -> list[ReportStatement]:
        """Return the statements of a report that share most with a caption, the best first."""
        return report.candidates(normalised(caption), self._reports.keys(caption))

    def status(self, caption: str, organ: str | None = None) -> Status:
        """Return what a caption says of canonical ``organ``; of all that it names where no organ is given."""
        return self._cached_status(organ, caption)

    def _plain(self, report: ReadReport, caption: str) -> tuple[str, ...]:
        """Return a caption as it is read: of a form line the sentences that it means, none where it says nothing."""
        sentences = self._cached_sentences(caption)
        plain = self._reports.plain_sentences(sentences[0], report) if len(sentences) == 1 else None
        return (caption,) if plain is None else plain

    def claims(self, caption: str, organ: str) -> frozenset[tuple[str, object]]:
        """Return what a caption about canonical ``organ`` claims, for comparing captions (``claims_of``)."""
        return self._cached_claims(caption, organ)

    def carries(self, statement: str, context: tuple[str, ...], organ: str, caption: str) -> bool:
        """Tell whether one statement carries a caption filed under canonical ``organ``.

        ``context`` has the organs that the statement goes on about.
        """
        if normalised(caption) == normalised(statement):
            return not self.entailment.check_organ(statement, organ, context).causes
        return not self.entailment.check(caption, statement, organ, context).causes

    def _verify_in_statements(
        self,
        report: ReadReport,
        organ: str,
        caption: str,
        candidates: Sequence[ReportStatement],
        verbatim: bool = False,
    ) -> Verification:
        """Return the acceptance by the first candidate that carries the caption, or the refusal by the nearest one.

        ``verbatim``: the caption repeats the candidates word for word.
        """
        best: tuple[CheckResult, ReportStatement] | None = None
        for statement in candidates:
            text = statement.parse.text
            if verbatim:
                result = self.entailment.check_organ(text, organ, statement.subject)
            else:
                result = self.entailment.check(caption, text, organ, statement.subject)
            if not result.causes:
                return self._accepted(report, organ, text if verbatim else caption, statement, result)
            if not verbatim and all(cause.final for cause in result.causes):
                return _nearest(report, organ, result, statement)
            if best is None or (len(result.causes), -result.coverage) < (len(best[0].causes), -best[0].coverage):
                best = (result, statement)
        if best is None:
            return refused(organ, Reason.NOT_GROUNDED, "no statement of the report comes near it")
        if not verbatim and (joined := self._verify_joined(report, organ, caption)):
            return joined
        claim = (caption, best[1].parse.text, organ, best[1].subject)
        for_words = best[0].coverage >= GROUNDED and self.entailment.lacks_only_words(*claim)
        return _nearest(report, organ, *best)._replace(for_words=for_words)

    def _verify_joined(self, report: ReadReport, organ: str, caption: str) -> Verification | None:
        """Return the acceptance by several statements that speak of the same, or of two things that a caption lists."""
        evidence = self.entailment.find_in_several(report, organ, caption, self._reports.keys(caption))
        if evidence is None:
            return None
        spans = merged_spans(((s.start, s.end) for s in evidence.statements), report.text)
        return accepted(organ, self.status(caption, organ), spans, evidence.statements[0].section, evidence.share)

    def _verify_claim(self, report: ReadReport, organ: str, claim: str, *, verified: VerifiedClaims) -> Verification:
        """Verify a claim of a caption once, however many cuts of the caption come back to it."""
        if (organ, claim) not in verified:
            verified[organ, claim] = self._verify(report, organ, claim, (), verified)
        return verified[organ, claim]

    def _verify_cut(
        self, report: ReadReport, organ: str, caption: str, verified: VerifiedClaims
    ) -> Verification | None:
        """Return the acceptance of a caption whose claims, independent of each other, are accepted each by itself."""
        if not self.entailment.joined.occurs(report, caption):
            return None
        for cut in self.entailment.claims.cuts(caption):
            verify = partial(self._verify_claim, report, verified=verified)
            if verifications := verified_cut(report, organ, cut, verify, self.parser.organ_finder.related):
                return self._all_of(report, organ, (cut.first, cut.second), verifications)
        return None

    def _verify_parts(
        self, report: ReadReport, organ: str, parts: Sequence[str], verified: VerifiedClaims
    ) -> Verification:
        """Accept a caption of several parts if each is accepted, and what refers to the part before it does so there.

        "A nodule in the right lung. It is calcified." is not carried by "It is calcified", said of another nodule.
        """
        verifications: list[Verification] = []
        for number, part in enumerate(parts):
            verification = self._verify_claim(report, organ, part, verified=verified)
            if verification.accepted and number and refers_back(self.parser.parse(part)):
                if not goes_on_about(report, verification.spans, verifications[-1].spans):
                    both = f"{parts[number - 1].rstrip('. ')}. {part}"
                    joined = self._verify_joined(report, organ, both)
                    verification = joined or refused(organ, Reason.NOT_GROUNDED, f"“{part}” is said of something else")
            if not verification.accepted:
                return verification
            verifications.append(verification)
        return self._all_of(report, organ, parts, verifications)

    def _all_of(
        self, report: ReadReport, organ: str, parts: Sequence[str], verifications: Sequence[Verification]
    ) -> Verification:
        """Return the acceptance of a caption of which each part is accepted."""
        spans = merged_spans((span for v in verifications for span in v.spans), report.text)
        return min(verifications, key=lambda v: v.start)._replace(
            organ=organ,
            start=spans[0][0],
            end=spans[0][1],
            spans=spans,
            status=self._cached_status(organ, *parts),
            score=round(sum(v.score for v in verifications) / len(verifications), 1),
        )

    def _accepted(
        self, report: ReadReport, organ: str, caption: str, statement: ReportStatement, result: CheckResult
    ) -> Verification:
        start = statement.start
        if result.uses_context and statement.anchor is not None:
            start = report.statements[statement.anchor].start
        if statement.narrowed_by is not None:
            start = min(start, report.statements[statement.narrowed_by].start)
        spans = ((start, statement.end),)
        return accepted(organ, self.status(caption, organ), spans, statement.section, result.coverage)

    def _status(self, organ: str | None, *parts: str) -> Status:
        return status_of(self.parser, [self.parser.parse(part) for part in parts], organ)


def _sentences(caption: str) -> tuple[str, ...]:
    return tuple(caption[first:last] for first, last in split_statements(caption))


def _nearest(report: ReadReport, organ: str, result: CheckResult, statement: ReportStatement) -> Verification:
    """Return the refusal with the statement that comes nearest."""
    cause = result.causes[0]
    verification = refused(organ, cause.reason, cause.detail)
    if result.coverage < GROUNDED:
        verification = refused(organ, Reason.NOT_GROUNDED, "no statement of the report carries it")
    score = round(100 * result.coverage, 1)
    return refused_at(statement, report.text, verification._replace(score=score, missing=result.missing))


def build_verifier(words: SiteWords = OURS) -> Verifier:
    """Build a verifier that knows the words of a site beside ours."""
    return Verifier(words.vocabulary(), words.lexicon())
