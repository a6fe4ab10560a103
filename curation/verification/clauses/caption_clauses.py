"""Clauses of a caption with all that the evidence must carry of them."""

from __future__ import annotations

from dataclasses import dataclass

from curation.language.aspects import NORMAL, normal_aspects
from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.structure.organ_sections import stated_parts
from curation.language.structure.quality_kinds import is_whereabouts

from ..denials.denied_phrases import qualifiers_of_denied
from ..denials.removals import calls_only_absent
from ..evidence import ClauseWords, RequiredTerm, denies_a_finding, only_denies
from ..organs import OrganRelations, subject_organs
from ..words.dimension_matching import only_names_dimension
from ..words.kind_matching import compounds_across_organs, is_head, kinds_of, words_of
from ..words.organ_verbs import joins_organ
from .halves import repeats_pair


@dataclass(frozen=True, slots=True, eq=False)
class CaptionClause:
    """A clause of a caption with the terms that the evidence must carry.

    ``organs`` are those that it is about. ``denied``: it denies a finding, ``only_denied``: and affirms none.
    ``normal``: it calls something normal. ``only_absent``: it says no more than that an organ is absent. ``repeated``
    are the findings and qualities that it names again, each with how often it has by then. ``stems`` are those of the
    findings and qualities among the terms.
    """

    clause: Clause
    caption: ParsedStatement
    required: tuple[RequiredTerm, ...]
    organs: tuple[str, ...]
    denied: bool
    only_denied: bool
    normal: bool
    only_absent: bool
    repeated: tuple[tuple[Term, int], ...]
    stems: frozenset[str]


def caption_clause(clause: Clause, caption: ParsedStatement, relations: OrganRelations) -> CaptionClause:
    """Return a clause of a caption with all that the evidence must carry of it.

    A grade taken over from a neighbour is looked at there, a side word right before an organ as part of its name.
    """
    segment = clause.segment
    own_ids, organs = set(map(id, segment.terms)), tuple(subject_organs(clause.terms))
    narrowing_ids = set(map(id, qualifiers_of_denied(clause, caption)))
    is_device = any(map(_is_device, clause.terms))
    words = ClauseWords(
        words_of((*clause.terms, *caption.terms)) | stated_parts(caption), kinds_of(clause.terms), organs, is_device
    )
    compounds = compounds_across_organs(segment, caption, relations.lexicon)
    required = tuple(
        RequiredTerm(
            term,
            tuple([stem for stem in caption.stems[term.start : term.end] if stem[0].isalnum()]),
            caption.tokens[term.start].word,
            id(term) in own_ids,
            is_head(term, caption.terms),
            words,
            compounds.get(term),
            id(term) in narrowing_ids,
            joins_organ(term, caption.stems[term.start], caption.terms),
            normal_aspects(term, segment, caption) if term.key == NORMAL else frozenset(),
            caption.text_of(term),
            only_names_dimension(term, segment, caption),
        )
        for term in clause.terms
        if term.kind not in ("hedge", "negation")
        and not term.implied
        and not repeats_pair(term, segment)
        and (id(term) in own_ids or not _is_counted_elsewhere(term, segment))
        and not (term.kind == "side" and relations.belongs_to_organ(term, clause.terms))
    )
    normal = any(term.is_normality and term.polarity == Polarity.AFFIRMED for term in clause.terms)
    only_absent = calls_only_absent(clause.terms)
    return CaptionClause(
        clause,
        caption,
        required,
        organs,
        denies_a_finding(clause.terms),
        only_denies(clause.terms),
        normal,
        only_absent,
        _repeated_terms(segment),
        frozenset(stem for needed in required if needed.term.kind in ("finding", "modifier") for stem in needed.stems),
    )


def _is_device(term: Term) -> bool:
    return term.mention is not None and term.mention.device


def _repeated_terms(segment: Segment) -> tuple[tuple[Term, int], ...]:
    """Return the findings and qualities that a segment names again, each with how often it has by then."""
    counts: dict[str, int] = {}
    repeated = []
    for term in segment.terms:
        if term.kind in ("finding", "modifier") and not term.is_normality:  # of each organ it is asked by itself
            counts[term.key] = counts.get(term.key, 0) + 1
            if counts[term.key] > 1:
                repeated.append((term, counts[term.key]))
    return tuple(repeated)


def _is_counted_elsewhere(term: Term, segment: Segment) -> bool:
    """Tell whether a grade, or the number of things in several places, is looked at where the clause took it from."""
    if term.kind == "modifier":
        return True
    is_count = term.measure is not None and term.measure.kind == "number"
    return is_count and not segment.organs and all(map(is_whereabouts, segment.findings))
