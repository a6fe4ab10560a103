"""Parts of a caption, each read by itself: what it says, of which site, and what it may share with another part."""

from __future__ import annotations

from collections.abc import Iterable

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.structure.quality_kinds import is_whereabouts, rivalry
from curation.language.tokens import stem

from .hosts import is_adjective
from .references import general_key

TIED_KINDS = frozenset(("severity", "size", "change", "quantity", "time", "extent", "density", "certainty"))
"""Kinds of qualities that may be meant of a finding and of the one listed with it."""

# Words that say what a finding does to something else, or what it comes from.
RELATION_STEMS = frozenset(
    map(
        stem,
        (
            "invasion invading invades infiltration infiltrating extension extending extends encasement encasing "
            "compression compressing displacement displacing effacement effacing involvement involving abutting "
            "causing caused due secondary resulting from because which that effect into onto through toward"
        ).split(),
    )
)

# Findings that are single things, and may have a feature of their own, beside the lesions.
_SINGLE_THINGS = frozenset(
    map(
        stem,
        (
            "calculus stone collection node lymphadenopathy hernia aneurysm fracture polyp ulcer abscess diverticulum "
            "thrombus hematoma plaque malignancy granuloma bulla bleb cavity scar cyst"
        ).split(),
    )
)


_NOT_SINGLE = frozenset(map(stem, ("abnormality", "opacity", "density")))


def keeps_its_terms(caption: ParsedStatement, start: int, end: int, part: ParsedStatement) -> bool:
    """Tell whether the terms of a part are meant as in the caption: each is named, denied and doubted alike."""
    inside = [term for term in caption.terms if start <= term.start and term.end <= end]
    return [(term.key, term.polarity) for term in inside if term.kind not in ("negation", "hedge")] == [
        (term.key, term.polarity) for term in part.terms if term.kind not in ("negation", "hedge")
    ]


def is_noun_alone(part: ParsedStatement) -> bool:
    """Tell whether a part is one noun phrase with nothing behind its noun that might be said of both: "and clips"."""
    nouns = [term for term in part.terms if is_listed(term) or is_thing_by_name(term)]
    return len(nouns) == 1 and part.terms[-1] is nouns[0] and nouns[0].end >= len(part.tokens) - 1


def opens_with_denial(part: ParsedStatement) -> bool:
    """Tell whether a part begins with the cue of its denial, so that it needs no other words: "no stones"."""
    return bool(part.terms) and part.terms[0].kind == "negation" and part.terms[0].start == 0


def says_something(part: ParsedStatement) -> bool:
    """Tell whether a part says more than where."""
    graded_organ = any(term.kind == "modifier" for term in part.terms) and any(term.mention for term in part.terms)
    named = any(is_listed(term) or term.is_normality or is_thing_by_name(term) for term in part.terms)
    return graded_organ or named or any(is_state(part, term) for term in part.terms)


def is_state(part: ParsedStatement, term: Term) -> bool:
    """Tell whether a term says how its organ is by a participle: "distended", but not "distension"."""
    return term.attribute and term.entry is not None and part.tokens[term.end - 1].word.endswith("ed")


def is_listed(term: Term) -> bool:
    """Tell whether a term is a finding that the lexicon lists, and more than a place or normality."""
    is_finding = term.kind == "finding" and not term.attribute and not term.is_normality
    return is_finding and term.entry is not None and not is_whereabouts(term)


def is_thing_by_name(term: Term) -> bool:
    """Tell whether the name of an organ names a device or a finding."""
    return term.mention is not None and (term.mention.device or term.mention.finding)


def names_device(part: ParsedStatement) -> bool:
    """Tell whether a part names a device, or a finding by the name of an organ."""
    return any(map(is_thing_by_name, part.terms))


def is_denied(term: Term) -> bool:
    """Tell whether a term is denied."""
    return term.polarity == Polarity.NEGATED


def is_doubted(part: ParsedStatement) -> bool:
    """Tell whether a part holds a hedge, or anything neither affirmed nor denied."""
    return any(
        term.kind == "hedge" or term.polarity not in (Polarity.AFFIRMED, Polarity.NEGATED) for term in part.terms
    )


def has_shareable_grade(first: Iterable[Term], second: Iterable[Term]) -> bool:
    """Tell whether a grade before the first noun may be meant of the second: "mild thickening and stranding"."""
    first, own = list(first), {rivalry(term) for term in second}
    head = next((term.start for term in first if is_listed(term) or term.mention), first[-1].end if first else 0)
    return any(term.end <= head and (kind := rivalry(term)) in TIED_KINDS and kind not in own for term in first)


def ends_with_adjective(part: ParsedStatement) -> bool:
    """Tell whether a part has no noun of a finding: "calcified" of "calcified and enlarged nodes"."""
    findings = [term for term in part.terms if is_listed(term)]
    return bool(findings) and is_adjective(part, findings[-1])


def last_site(part: ParsedStatement) -> tuple[str, ...]:
    """Return the organs that the last site of a part names."""
    sites = [term.mention for term in part.terms if term.mention and not term.mention.place]
    return sites[-1].names if sites else ()


def last_organ(part: ParsedStatement) -> tuple[str, ...]:
    """Return the organs that the last site of a part names, which is no device: a device lies in some other organ."""
    sites = [term.mention for term in part.terms if term.mention and not (term.mention.place or term.mention.device)]
    return sites[-1].names if sites else ()


def is_single_thing(term: Term) -> bool:
    """Tell whether a finding is one thing that may have features of its own: a mass, a stone."""
    keys = {term.key, *term.parts}
    kinds = keys | (term.entry.kinds if term.entry else frozenset[str]())
    return not _SINGLE_THINGS.isdisjoint(keys) or any(general_key(kind) and kind not in _NOT_SINGLE for kind in kinds)
