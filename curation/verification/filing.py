"""Is a caption filed under the organ that its evidence is about? Gives ``wrong_organ`` and ``laterality``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from curation.caption import Reason
from curation.language.parsed_statement import ParsedStatement
from curation.language.parser import StatementParser
from curation.language.structure.quality_kinds import is_whereabouts
from curation.language.structure.usable_terms import usable_terms
from curation.language.word_senses import LEVEL

from .clause_matching import CarriedClause, ClauseMatcher
from .evidence import denies_a_finding, only_denies
from .headings.sub_headings import is_level_of, label_of
from .organs import (
    MAIN_ORGANS,
    OPERATION_FLAGS,
    OrganRelations,
    effusion_cavity,
    filed_organs,
    implied_organs,
    place_organs,
    stated_sides,
    subject_organs,
)
from .refusals import RefusalCause, listed


class FilingCheck:
    """Checks the organ of captions against the subjects of the segments that carry them."""

    def __init__(self, parser: StatementParser, relations: OrganRelations, matcher: ClauseMatcher) -> None:
        self._parser, self._vocabulary = parser, parser.vocabulary
        self._relations, self._matcher = relations, matcher
        self._cached_subjects = lru_cache(maxsize=2_000)(self._subjects_of)
        self._cached_own_subjects = lru_cache(maxsize=2_000)(self._own_subjects)

    def causes(
        self, carried: Sequence[CarriedClause], statement: ParsedStatement, organ: str, context: tuple[str, ...]
    ) -> Iterator[RefusalCause]:
        """Yield the cause for which a caption may not be filed under canonical ``organ``; nothing where it may.

        ``carried`` has its clauses with the segments of ``statement`` that carry them; ``context`` the organs that the
        statement goes on about.
        """
        clauses = [clause for clause in carried if not clause.clause.heading] or carried
        organs = self._subjects(clauses, statement) or subject_organs(statement.terms) or list(context)
        for _, index in clauses:
            organs += effusion_cavity(self._parser, usable_terms(statement, index), context)
        heading = (label,) if (label := label_of(statement)) else context
        organs = [part for name in organs for part in self._below_heading(name, heading)]
        if self._is_only_part(clauses, organ, organs):
            detail = f"the evidence is about {listed(organs)} and not about all of {organ}"
            yield RefusalCause(Reason.WRONG_ORGAN, detail)
            return
        if self._vocabulary.organs[organ].side is None and (
            side := self._only_denied_side(clauses, statement, context)
        ):
            yield RefusalCause(Reason.LATERALITY, f"the evidence denies it of the {side} side alone")
            return
        if self._covers_any(organ, organs) and self._is_claimed(carried, clauses, statement, organ, heading):
            return
        if self._holds_for_side(clauses, statement, organ, organs, context):
            return
        if self._is_headed(carried, organ, organs) or self._lies_around(clauses, organ, organs):
            return
        if self._holds_device(clauses, statement, organ, context) or self._operates_on(clauses, organ):
            return
        if all(self._vocabulary.organs[name].region for name in organs) and self._lies_beside(
            clauses, statement, organ
        ):
            return
        if any(self._relations.is_other_side(organ, name) for name in organs):
            yield RefusalCause(Reason.LATERALITY, f"the evidence is about {listed(organs)}, not {organ}")
        else:
            about = listed(organs) if organs else "no organ that the vocabulary knows"
            yield RefusalCause(Reason.WRONG_ORGAN, f"the evidence is about {about}, not {organ}")

    def _subjects(self, clauses: Sequence[CarriedClause], statement: ParsedStatement) -> list[str]:
        """Return the organs that the segments are about, with those that they take from others and those implied."""
        return [name for _, index in clauses for name in self._cached_subjects(statement, index)]

    def _subjects_of(self, statement: ParsedStatement, index: int) -> tuple[str, ...]:
        usable, segment = usable_terms(statement, index), statement.segments[index]
        implied = implied_organs(self._parser, segment.terms if segment.findings or segment.organs else usable)
        return (*filed_organs(statement, usable, self._relations), *implied)

    def _only_denied_side(
        self, clauses: Sequence[CarriedClause], statement: ParsedStatement, context: tuple[str, ...]
    ) -> str:
        """Return the side of which alone the evidence denies what the caption denies without a side; "" where none is.

        "No lymphadenopathy in the left axilla" does not deny all lymphadenopathy, though it is about lymph nodes.
        """
        for clause, index in clauses:
            names = [name for term in clause.terms if term.mention for name in term.mention.names]
            words = {word for name in names for word in name.split()} | stated_sides(clause.terms)
            if words & {"left", "right", "both"} or any(self._vocabulary.organs[name].side for name in names):
                continue
            sites = [term.mention for term in statement.segments[index].sites if term.mention]
            if names and all(any(name in site.names for site in sites) for name in names):
                continue  # "no mass in the aorta and the left kidney": the side is that of the kidney
            sides = self._matcher.evidence(statement.text, index, context).sides
            if len(sides) == 1 and denies_a_finding(clause.terms):
                return min(sides)
        return ""

    def _below_heading(self, name: str, context: tuple[str, ...]) -> tuple[str, ...]:
        """Return an organ as the heading above it means it: the canal below "CERVICAL SPINE:" is the cervical canal."""
        if len(context) != 1 or name in context or self._relations.is_half(context[0], name):
            return (name,)
        if is_level_of(self._vocabulary, context[0], name):
            return name, context[0]
        return tuple(sorted(self._vocabulary.shared_parts(name, context[0]))) or (name,)

    def _covers_any(self, organ: str, names: Sequence[str]) -> bool:
        return any(self._relations.covers(organ, name) for name in names)

    def _is_claimed(
        self,
        carried: Sequence[CarriedClause],
        clauses: Sequence[CarriedClause],
        statement: ParsedStatement,
        organ: str,
        heading: tuple[str, ...],
    ) -> bool:
        """Tell whether the caption itself, of which the evidence is about ``organ``, names it or no organ at all.

        "A hiatal hernia at the lower end of the oesophagus" may be filed under either: the segment names both.
        """
        sided, related = self._vocabulary.sided, self._parser.organ_finder.related
        names = [name for clause, _ in carried for name in subject_organs(clause.terms)]
        claimed = [organ_or_side for name in names for organ_or_side in (name, *(sided(name) or ()))]
        if not claimed or any(related(organ, name) for name in claimed):
            return True
        subjects = [name for _, index in clauses for name in self._cached_own_subjects(statement, index)]
        return any(self._covers_any(organ, self._below_heading(name, heading)) for name in subjects)

    def _own_subjects(self, statement: ParsedStatement, index: int) -> tuple[str, ...]:
        terms = statement.segments[index].terms
        return (*filed_organs(statement, terms, self._relations), *implied_organs(self._parser, terms))

    def _is_only_part(self, clauses: Sequence[CarriedClause], organ: str, organs: Sequence[str]) -> bool:
        """Tell whether ``organ`` as a whole is called normal, or rid of something, by words about a part of it.

        "Normal", said of the trachea, may not be filed under the mediastinum.
        """
        filed_under, halves = self._vocabulary.filed_under, self._vocabulary.sided(organ) or ()
        if any(organ in (name, filed_under(name)) or self._relations.is_half(organ, name) for name in organs):
            return False
        if self._is_at_one_level(clauses, organ, organs):
            return True
        if not organs or (halves and set(halves) <= set(organs)) or self._vocabulary.organs[organ].region:
            return False
        return self._covers_any(organ, organs) and any(
            not subject_organs(clause.terms)
            and not implied_organs(self._parser, clause.terms)
            and (denies_a_finding(clause.terms) or any(term.is_normality for term in clause.terms))
            for clause, _ in clauses
        )

    def _is_at_one_level(self, clauses: Sequence[CarriedClause], organ: str, organs: Sequence[str]) -> bool:
        """Tell whether something is denied of all of ``organ`` that the evidence denies at one level of the spine."""
        levels = [name for name in organs if LEVEL.match(name) and organ != name]
        return any(self._relations.covers(organ, level) for level in levels) and any(
            denies_a_finding(clause.terms) and not any(map(LEVEL.match, subject_organs(clause.terms)))
            for clause, _ in clauses
        )

    def _lies_around(self, clauses: Sequence[CarriedClause], organ: str, organs: Sequence[str]) -> bool:
        """Tell whether caption and evidence are about a place around ``organ``: "perinephric fluid", of a kidney."""
        named = [name for clause in clauses for name in subject_organs(clause.clause.terms)]
        return all(any(self._is_around(organ, name) for name in names) for names in (named, organs))

    def _holds_device(
        self, clauses: Sequence[CarriedClause], statement: ParsedStatement, organ: str, context: tuple[str, ...]
    ) -> bool:
        """Tell whether caption and evidence are about a device that is ``organ``, or lies in it by its kind."""
        for clause, index in clauses:
            devices = [term.mention for term in clause.terms if term.mention and term.mention.device]
            if not devices:
                return False
            if any(self._covers_any(organ, device.names) for device in devices):
                continue
            names = subject_organs(usable_terms(statement, index))
            sides = self._matcher.evidence(statement.text, index, context).sides
            places = [place for name in names for place in self._relations.places_on_side(name, sides)]
            if not self._covers_any(organ, places):
                return False
        return True

    def _operates_on(self, clauses: Sequence[CarriedClause], organ: str) -> bool:
        """Tell whether a caption is about an operation on ``organ``, whatever it names beside: "and a colostomy"."""
        terms = [term for clause, _ in clauses for term in clause.terms]
        operations = [term for term in terms if term.entry and not OPERATION_FLAGS.isdisjoint(term.entry.flags)]
        others = (term for term in terms if term.kind == "finding" and term not in operations)
        if not operations or not all(term.attribute or term.implied or is_whereabouts(term) for term in others):
            return False  # "dilated duct after cholecystectomy"
        sides = [term for term in terms if term.kind == "side"]
        return self._covers_any(organ, implied_organs(self._parser, [*sides, *operations]))

    def _lies_beside(self, clauses: Sequence[CarriedClause], statement: ParsedStatement, organ: str) -> bool:
        """Tell whether caption and evidence give ``organ`` or a part of it as the place: "node by the spleen"."""
        claimed = {name for clause, _ in clauses for name in place_organs(clause.terms)}
        given = {name for _, index in clauses for name in place_organs(statement.segments[index].terms)}
        beside = {name for name in claimed | given if self._covers_any(organ, [name])}
        if claimed >= given and beside & claimed:
            return True  # "fistula between the colon and the bladder"
        return bool(claimed) and beside == claimed | given

    def _is_around(self, organ: str, place: str) -> bool:
        """Tell whether a place, or one that it is a part of, lies around ``organ`` or a part of it."""
        arounds = (self._vocabulary.organs[name].around for name in (place, *self._vocabulary.ancestors(place)))
        return any(around and self._relations.covers(organ, around) for around in arounds)

    def _is_headed(self, carried: Sequence[CarriedClause], organ: str, organs: Sequence[str]) -> bool:
        """Tell whether the heading is about ``organ``, and what is under it about no other side: "LUNGS: See CT"."""
        headings = [clause for clause, _ in carried if clause.heading]
        if not any(self._covers_any(organ, subject_organs(heading.terms)) for heading in headings):
            return False
        return all(self._vocabulary.organs[name].side in (None, self._vocabulary.organs[organ].side) for name in organs)

    def _holds_for_side(
        self,
        clauses: Sequence[CarriedClause],
        statement: ParsedStatement,
        organ: str,
        organs: Sequence[str],
        context: tuple[str, ...],
    ) -> bool:
        """Tell whether what is said of a pair holds for ``organ``, one side of it.

        It does where no other side is spoken of ("pleural plaque in the right basal segment"), or where it is denied
        without a side ("No renal stone"). What is denied of any other organ is denied of its parts.
        """
        if self._is_denied_of_all(clauses, organ, organs):
            return True
        if not any(self._relations.is_half(organ, name) for name in organs):
            return False
        side = self._vocabulary.organs[organ].side
        for _, index in clauses:
            sides = self._matcher.evidence(statement.text, index, context).sides
            if sides != {side} and (sides or not denies_a_finding(statement.segments[index].terms)):
                return False
        return True

    def _is_denied_of_all(self, clauses: Sequence[CarriedClause], organ: str, organs: Sequence[str]) -> bool:
        """Tell whether a caption only denies, and that of an organ which ``organ`` is a part of."""
        above = self._vocabulary.ancestors(organ)
        if not any(
            (name in above and not self._vocabulary.organs[name].region) or MAIN_ORGANS.get(name) == organ
            for name in organs
        ):
            return False
        return all(only_denies(clause.terms) for clause, _ in clauses)
