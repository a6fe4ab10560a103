"""The built-in engine: organ captions by the grammar of reports, without a model and without a network.

Each statement of findings or impression is cut into clauses (``curation/language/structure/clauses.py``); each organ of
them gets the shortest wording that stands alone (``caption_wording.py``) and that the verifier accepts. The drafts are
verified again like those of any other engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

from curation.caption import Draft
from curation.cleaning.redaction_marks import BLANK
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import CACHED_STATEMENTS
from curation.language.structure.clauses import Clause, clauses_of, clauses_on_side
from curation.language.structure.cut_wordings import denies_normality_of, is_well_formed, lacks_what_is_found
from curation.language.structure.ellipses import opens_with_ellipsis
from curation.language.structure.shared_tails import completed_text, ends_without_noun, opens_without_noun
from curation.language.understanding.account import account_of, is_unknown_word
from curation.language.understanding.passages import passages_of
from curation.report import Report
from curation.runtime.limits import ORGANS_OF_STATEMENT
from curation.verification.report_statements import ReadReport, ReportStatement
from curation.verification.verifier import Verifier

from .agreement import capital, with_label
from .back_references import may_refer_back, refers_back, standing_alone
from .caption_wording import OrganClaim, caption_wordings
from .claimed_organs import ClaimedOrgans, claims_of_effusions
from .cuts.governing_changes import governing_changes
from .level_labels import at_level, level_label, part_label
from .non_findings import is_observation, without_non_findings
from .understood_claims import asserts_something, context_of, is_assertion, understood_part, words_of

_BASES = frozenset(("base", "bases"))  # of the lungs, where nothing else is named
_WINDOWS = frozenset(("window", "windows"))
_LONGEST_LABEL = 5
"""Words of a label that may name a part which we do not know."""


class StatementCaption(NamedTuple):
    """A caption of one organ; ``unknown`` has the words that it rests on and that we do not know, "" for none."""

    organ: str
    text: str
    unknown: str = ""


class RulesEngine:
    """Drafts captions from the structure of the text alone."""

    name = "rules"
    model: str | None = None
    prompt: str | None = None

    def __init__(self, verifier: Verifier | None = None) -> None:
        self.verifier = verifier or Verifier()
        self.parser = self.verifier.parser
        self._claimed = ClaimedOrgans(self.parser)
        self._cached_captions = lru_cache(maxsize=CACHED_STATEMENTS)(self._find_captions)

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        """Yield the drafts of each report, in the order of ``reports``."""
        for report in reports:
            yield self.all_drafts(self.verifier.read(report.text, report.sections))

    def drafts(self, report: ReadReport) -> list[Draft]:
        """Return the drafts of one report that has been read, in the order of its statements."""
        return [draft for draft in self.all_drafts(report) if not draft.not_understood]

    def all_drafts(self, report: ReadReport) -> list[Draft]:
        """Return the drafts of a report, and with them those that are to be refused as not understood."""
        return [
            Draft(caption.organ, caption.text, statement.number, not_understood=caption.unknown)
            for statement in report.statements
            if not statement.heading
            for caption in self._captions_of(report, statement)
        ]

    def _captions_of(self, report: ReadReport, statement: ReportStatement) -> Iterable[StatementCaption]:
        """Return the captions of one statement of a report, none that refers to another statement."""
        label = level_label(report, statement)
        captions = self._captions_standing_alone(report, statement)
        if label:
            return [self._at_level(report, label, caption) for caption in captions]
        if part := part_label(report, statement, self.parser.vocabulary):
            return [self._of_part(report, part, caption) for caption in captions]
        return captions

    def _of_part(self, report: ReadReport, label: str, caption: StatementCaption) -> StatementCaption:
        """Return a caption with the label of a part before it, where the report says so of no more than that part."""
        text = with_label(label, caption.organ, caption.text)
        is_said = self.verifier.verify(report, caption.organ, text).accepted
        return caption._replace(text=text) if is_said and not caption.unknown else caption

    def _at_level(self, report: ReadReport, label: str, caption: StatementCaption) -> StatementCaption:
        """Return a caption with the label of the level that its statement stands under, where the report says so."""
        text = at_level(label, caption.organ, caption.text, self.parser.parse(caption.text))
        is_said = self.verifier.verify(report, caption.organ, text).accepted
        return caption._replace(text=text) if is_said else caption

    def _captions_standing_alone(self, report: ReadReport, statement: ReportStatement) -> Iterable[StatementCaption]:
        """Return the captions of a statement in which what it refers to is named, and no others that refer back."""
        text = statement.parse.text
        if not may_refer_back(statement.parse):
            return self._cached_captions(text, context_of(statement, self.parser.vocabulary))
        if opens_with_ellipsis(statement.parse):
            return ()
        alone = standing_alone(report, statement, self.parser)
        if alone is not None and alone.text != text:
            return [
                caption
                for caption in map(partial(self._filed_as_meant, alone.organs), self._cached_captions(*alone))
                if caption.unknown
                or self.verifier.verify(report, caption.organ, caption.text, (statement.number,)).accepted
            ]
        captions = self._cached_captions(text, statement.context)
        return [caption for caption in captions if not refers_back(self.parser.parse(caption.text))]

    def _filed_as_meant(self, meant: Sequence[str], caption: StatementCaption) -> StatementCaption:
        """File a caption under the one organ that is meant, where it names only what that is a part of.

        "The fracture is displaced", of a fracture of a rib, is filed under the rib and not under the skeleton.
        """
        organ = caption.organ
        parts = [name for name in meant if organ in self.parser.vocabulary.ancestors(name)]
        if len(parts) != 1:
            return caption
        name = self.parser.vocabulary.filed_under(parts[0])
        if name == organ:
            return caption
        return StatementCaption(name, with_label(capital(name), organ, caption.text), caption.unknown)

    def _find_captions(self, text: str, context: tuple[str, ...]) -> tuple[StatementCaption, ...]:
        """Return the captions of one statement. ``context``: organs of the statements before it."""
        if BLANK in text:
            return ()  # a word is missing, which may be any: "normal", "no"
        statement = self.parser.parse(text)
        if (completed := completed_text(statement)) is not None:
            statement = self.parser.parse(completed)
        if (count := sum(term.mention is not None for term in statement.terms)) > ORGANS_OF_STATEMENT.most:
            return (StatementCaption("", text, f"{count} organs in one sentence ({ORGANS_OF_STATEMENT.reason})"),)
        claims = self._claims(statement, context)
        return tuple(
            caption for claim in claims for caption in self._claim_captions(claim, claims, statement, text, context)
        )

    def _claim_captions(
        self,
        claim: OrganClaim,
        claims: Sequence[OrganClaim],
        statement: ParsedStatement,
        text: str,
        context: tuple[str, ...],
    ) -> Iterator[StatementCaption]:
        """Yield the caption of what was understood of a claim, and one of what was not, with its words.

        Where both cannot be parted, a finding that is there stays so whatever else is said of it.
        """
        from_context = (
            claim.term is None
            and not claim.below_heading
            and claim.organ in map(self.parser.vocabulary.filed_under, context)
        )
        understood, unknown, left_out = understood_part(
            claim, statement, self.parser.vocabulary, from_context=from_context
        )
        if any(self._is_own_label(clause, claim, statement) for clause in left_out):
            understood, unknown, left_out = claim, (), ()  # what it says is of that part: "ICA terminus: patent"
            caption = self._shortest_caption(claim, claims, statement, text, context, understood=False)
            if caption is not None:
                yield StatementCaption(claim.organ, caption)
            return
        if understood is not None:
            caption = self._shortest_caption(understood, claims, statement, text, context, left_out)
            if caption is None and left_out:
                caption = self._shortest_caption(claim, claims, statement, text, context)
                if caption is not None and self.verifier.status(caption, claim.organ) == "normal":
                    caption = None
                unknown = () if caption is not None else unknown
            if caption is not None:
                yield StatementCaption(claim.organ, caption)
        if unknown:
            rest = replace(claim, clauses=left_out)
            caption = self._shortest_caption(rest, claims, statement, text, context, understood=False)
            if caption is not None:
                yield StatementCaption(claim.organ, caption, words_of(unknown, statement))

    def _is_own_label(self, clause: Clause, claim: OrganClaim, statement: ParsedStatement) -> bool:
        """Return whether a clause is the label of a claim, which names its organ and a part that we do not know."""
        segments = statement.segments
        if len(segments) != 2 or segments[1].joiner != ":" or clause.segment is not segments[0]:
            return False
        unknown = [term for segment in segments for term in segment.terms if is_unknown_word(statement, term)]
        if claim.term is None or claim.term not in segments[0].terms or segments[0].end > _LONGEST_LABEL:
            return False
        return all(claim.term.end <= term.start < segments[0].end for term in unknown)

    def _shortest_caption(
        self,
        claim: OrganClaim,
        claims: Sequence[OrganClaim],
        statement: ParsedStatement,
        text: str,
        context: tuple[str, ...],
        left_out: Sequence[Clause] = (),
        *,
        understood: bool = True,
    ) -> str | None:
        """Return the shortest wording that stands alone and is in the statement, and has no clause of ``left_out``.

        Where the claim is ``understood``, the wording has to be so too.
        """
        excluded = [statement.text_between(clause.segment.start, clause.segment.end).lower() for clause in left_out]
        changes = governing_changes(claim.clauses, statement)
        for caption in caption_wordings(claim, claims, statement, text):
            said = caption.lower()
            if any(clause in said for clause in excluded) or any(change not in said for change in changes):
                continue
            if self._stands_alone(caption, text, understood) and self.verifier.carries(
                text, context, claim.organ, caption
            ):
                return caption
        return None

    def _stands_alone(self, caption: str, text: str, understood: bool) -> bool:
        """Return whether a wording stands alone: it reads well, and still says what is found, or that nothing is."""
        parse = self.parser.parse(caption)
        if denies_normality_of(parse):
            return False
        if caption.endswith(text.strip(" .;,")):
            return True
        accounts = map(account_of, passages_of(parse))
        return (
            is_well_formed(caption)
            and not lacks_what_is_found(parse)
            and not opens_without_noun(parse)
            and not ends_without_noun(parse)
            and any(is_assertion(term) and not (understood and is_unknown_word(parse, term)) for term in parse.terms)
            and any(account.says_something or (account.unknown and not understood) for account in accounts)
        )

    def _claims(self, statement: ParsedStatement, context: tuple[str, ...]) -> list[OrganClaim]:
        """Return one claim for each organ of a statement; those of the context for a statement that names none."""
        findings = without_non_findings(clauses_of(statement), statement)
        if not any(asserts_something(clause, statement) for clause in findings):
            return []
        by_organ = self._claims_by_organ(findings, statement, context)
        claims = by_organ or self._claimed.below_property(findings, statement)
        is_of_context = not claims and self._is_of_context(statement, context)
        if is_of_context and any(is_observation(term) for clause in findings for term in clause.terms):
            organs = dict.fromkeys(self.parser.vocabulary.filed_under(organ) for organ in context)
            claims = [
                OrganClaim(organ, clauses_on_side(findings, self.parser.vocabulary.organs[organ].side), None)
                for organ in organs
            ]
            claims = [claim for claim in claims if claim.clauses]
            claims = claims_of_effusions(self.parser, findings, context) or claims
        return claims

    def _is_of_context(self, statement: ParsedStatement, context: tuple[str, ...]) -> bool:
        """Return whether a statement without an organ may go on about those before it: not "Bone windows normal"."""
        if not _BASES.isdisjoint(statement.words):
            return all("lungs" in (name, *self.parser.vocabulary.ancestors(name)) for name in context)
        return _WINDOWS.isdisjoint(statement.words)

    def _claims_by_organ(
        self, findings: Sequence[Clause], statement: ParsedStatement, context: tuple[str, ...]
    ) -> list[OrganClaim]:
        """Return one claim for each organ, with all of its clauses, in the order in which organs are first named."""
        organs: dict[str, tuple[list[Clause], Term | None, str, bool]] = {}
        for clause in findings:
            if clause.heading:
                continue
            for named, term in self._claimed.organs(clause, statement):
                part = self._claimed.below_heading(named, term, context)
                organ_clauses = organs.setdefault(
                    self.parser.vocabulary.filed_under(part), ([], term, part, part != named)
                )[0]
                if clause not in organ_clauses:
                    organ_clauses.append(clause)
        return [
            OrganClaim(organ, tuple(organ_clauses), term, part, below_heading)
            for organ, (organ_clauses, term, part, below_heading) in organs.items()
            if any(asserts_something(clause, statement) for clause in organ_clauses)
            and not (term and self._claimed.is_only_sized(term, organ_clauses))
            and not self._is_other_half(organ, {name: clauses for name, (clauses, *_) in organs.items()})
        ]

    def _is_other_half(self, organ: str, organs: Mapping[str, list[Clause]]) -> bool:
        """Return whether only the other side of a pair is meant: "In the bases, there is a nodule on the right"."""
        pair = self.parser.organ_finder.pair_of(organ) or ()
        if not all(clause.segment.silent and clause.segment.preposed for clause in organs[organ]):
            return False
        others = [name for name in pair if name != organ and name in organs]
        return any(not clause.segment.silent for name in others for clause in organs[name])
