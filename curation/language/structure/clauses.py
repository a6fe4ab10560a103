"""Clauses of a statement: what each segment takes from its neighbours, as a reader does without noticing.

This resolves the ellipsis in the one way that we would defend: each segment becomes a clause with the organs and the
predicate that it shares with others. ``usable_terms.py`` gives what a faithful caption might have drawn together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ..assertion import Polarity
from ..parsed_statement import ParsedStatement, Segment, Term
from ..word_lists import COORDINATORS, LIST_JOINERS
from .asides import has_own_subject, is_absolute
from .listed_subjects import is_listed_subject
from .quality_kinds import findings_graded, is_graded_elsewhere, is_whereabouts, qualities, rivalry
from .side_pairs import are_on_two_sides, gapped_side, on_own_side, on_the_other_side


@dataclass(slots=True, eq=False)
class Clause:
    """A segment with its own terms and those that it shares with others.

    ``heading``: it is a name before a colon, or a phrase that only frames the statement.
    """

    segment: Segment
    terms: list[Term]
    heading: bool = False


def clauses_of(statement: ParsedStatement) -> tuple[Clause, ...]:
    """Return the clauses of a statement, one for each segment, in order."""
    return _cached_clauses(statement)


@lru_cache(maxsize=2_048)
def _cached_clauses(statement: ParsedStatement) -> tuple[Clause, ...]:
    return tuple(_clause_at(statement, index) for index in range(len(statement.segments)))


def _clause_at(statement: ParsedStatement, index: int) -> Clause:
    """Return the clause of one segment of a statement."""
    segments = statement.segments
    segment = segments[index]
    terms = list(segment.terms)
    if segment.frame or _is_heading(segments, index) or (index and _sets_aside(segment)):
        return Clause(segment, terms, heading=True)
    if False not in [term.mention.place for term in segment.organs if term.mention]:
        add_missing(terms, _inherited_sites(segments, index))
    add_missing(terms, _framing_sites(segments, index))
    nodes = _segment_of_nodes(segments, segment)
    if nodes is not None:
        add_missing(terms, unrivalled(_without_organs(nodes.terms), segment))
    elif segment.silent and not (segment.excepted or is_absolute(statement, segment)):
        shared = shared_predicate(segments, index) or _listed_findings(segments, index)
        if any(map(is_whereabouts, segment.terms)):  # "in the upper pole and interpolar region"
            shared = [term for term in shared if not is_whereabouts(term)]
        if _is_set_against(segment):
            shared = [term for term in shared if term.polarity != Polarity.NEGATED]
        add_missing(terms, shared)
    elif is_listed_subject(statement, index):
        add_missing(terms, shared_predicate(segments, index))
    elif index and is_graded_elsewhere(segment):
        add_missing(terms, findings_graded(segments, index))
    elif _only_qualifies(segment) and index:
        add_missing(terms, _of_same_side(segments, index - 1, segment))
    return Clause(segment, terms)


def _is_set_against(segment: Segment) -> bool:
    """Tell whether a segment is what "but" sets against a denial: "no stone in the right kidney but in the left"."""
    return segment.joiner.endswith("but") and not any(term.kind == "negation" for term in segment.terms)


def add_missing(terms: list[Term], more: Iterable[Term]) -> None:
    """Append to ``terms`` each term of ``more`` that is not among them."""
    for term in more:
        if term not in terms:
            terms.append(term)


def _without_organs(terms: Iterable[Term]) -> list[Term]:
    return [term for term in terms if term.kind not in ("organ", "side")]


def _is_heading(segments: Sequence[Segment], index: int) -> bool:
    """Tell whether a segment is in a list of names before a colon: "KIDNEYS AND URETERS: …"."""
    for at in range(index, len(segments) - 1):
        if not segments[at].silent:
            return False
        if segments[at + 1].joiner == ":":
            return True
    return False


def _sets_aside(segment: Segment) -> bool:
    """Tell whether a segment only says where something is not: "…, none on the left", "…, but not the spleen".

    What is not there stands in another segment, which affirms it.
    """
    if len(segment.terms) < 2:
        return False
    cue, *others = segment.terms
    is_cue = cue.kind == "negation" and cue.start == segment.start and cue.key in ("not", "none")
    return is_cue and all(term.kind == "side" or term.mention for term in others)


def _inherited_sites(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return the organs of the neighbour to which a segment without an organ of its own belongs."""
    before = (segment for segment in reversed(segments[:index]) if segment.organs)
    others = [segment for segment in before if segment is segments[0] or not _sets_aside(segment)]
    if _affirms(segments[index]):  # "Heart: no pericardial effusion, mildly enlarged"
        others = [segment for segment in others if not _is_denied(segment)] or others
    left = next(iter(others), None)
    right = next((segment for segment in segments[index + 1 :] if segment.organs and not _sets_aside(segment)), None)
    if left is None and right and right.joiner == "," and has_own_subject(segments[index]):
        right = None if all(term.mention and term.mention.adjective for term in right.sites) else right
    if left is None or right is None:
        neighbour = left or right
    else:
        neighbour = right if _leans_right(segments, index) else left
    organs = neighbour.organs if neighbour else []
    if neighbour is left and segments[index].relative:
        organs = [term for term in organs if term is organs[-1] or (term.mention and term.mention.device)]
    inherited = [on_own_side(term, segments[index]) for term in organs if term.mention and not term.mention.place]
    if neighbour is left and left is not None and are_on_two_sides(left, segments[index]):
        return on_the_other_side(inherited, left, segments[index])
    return inherited


def _affirms(segment: Segment) -> bool:
    """Tell whether a segment calls something enlarged or the like, and denies nothing."""
    qualities = [term for term in segment.terms if term.kind in ("finding", "modifier") and not term.attribute]
    return bool(qualities) and all(term.polarity == Polarity.AFFIRMED for term in qualities)


def _is_denied(segment: Segment) -> bool:
    """Tell whether a segment denies its finding, so that nothing more is said of that."""
    findings = [term for term in segment.findings if not term.attribute]
    return bool(findings) and all(term.polarity == Polarity.NEGATED for term in findings)


def _leans_right(segments: Sequence[Segment], index: int) -> bool:
    """Tell whether a segment is listed with what follows: a comma to the left, "and" to the right."""
    segment, following = segments[index], segments[index + 1]
    if segment.verb is not None or not following.organs or following.joiner not in COORDINATORS:
        return False
    first = following.organs[0].start
    return segment.joiner == "," and any(term.start < first for term in following.findings)


def _framing_sites(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return the organs that open the sentence, for what follows: "In the right lower lobe, a pulmonary nodule"."""
    if not index or segments[index].joiner not in (",", ":") or not segments[index - 1].silent:
        return []
    sites = [name for term in segments[index].sites if term.mention for name in term.mention.names]
    framing = [term for term in segments[index - 1].sites if term.mention and not term.mention.plural]
    within = {name for term in framing if term.mention for name in term.mention.within}
    return framing if sites and within.issuperset(sites) else []


def _segment_of_nodes(segments: Sequence[Segment], segment: Segment) -> Segment | None:
    """Return the segment that names the lymph nodes of which ``segment`` only lists a station."""
    if True not in [term.mention.station for term in segment.organs if term.mention]:
        return None
    return next(
        (
            source
            for at, source in enumerate(segments)
            if source is not segment
            and any(term.key == "lymph nodes" for term in source.organs)
            and not _is_heading(segments, at)
        ),
        None,
    )


def shared_predicate(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return what is said of the last of a list of subjects, and so of each: "liver, spleen and bowel are normal"."""
    has_verb = segments[index].verb is not None
    own_organs = segments[index].organs
    adjective = all(term.mention and term.mention.adjective for term in own_organs)
    if has_verb and not (own_organs and adjective):
        return []
    for following in segments[index + 1 :]:
        organs = following.organs
        if following.relative and len(own_organs) > 1:
            return []  # "The head abuts the socket, which shows no fracture"
        if not any(word in LIST_JOINERS for word in following.joiner.split()):
            return []
        says = following.findings or (own_organs and not following.silent)
        if adjective and says and all(term.mention and term.mention.adjective for term in organs[:1]):
            return _said_of_all(following, segments[index])  # "(There is no) pleural or pericardial effusion"
        if has_verb:
            if following.silent:
                continue
            return []
        if following.verb is not None:
            starts = [term.start for term in organs]
            if any(start > following.verb for start in starts) and not any(start < following.verb for start in starts):
                return []
            predicate = [term for term in following.terms if term.end > following.verb and term.kind != "organ"]
            return unrivalled(predicate, segments[index])
        if not following.silent:
            first = min(term.start for term in following.findings or following.terms)
            return _said_of_all(following, segments[index]) if organs and organs[0].start < first else []
    return []


def _said_of_all(last: Segment, segment: Segment) -> list[Term]:
    """Return what the last of a list of subjects says of ``segment`` too.

    A quality before its own name or side is only its own: "right and small left effusion", "pleural and mild
    pericardial effusion".
    """
    name = min((term.start for term in last.terms if term.kind in ("organ", "side")), default=0)
    shared = unrivalled(_without_organs(last.terms), segment)
    return [term for term in shared if term.start > name or not rivalry(term)]


def _listed_findings(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return what is found in the first of a list of places, and so in each: "nodules in the liver and the spleen"."""
    if _places_what_follows(segments, index):
        return []
    for earlier in reversed(segments[:index]):
        if not earlier.silent:
            terms = unrivalled(_without_organs(earlier.terms), segments[index])
            return [_denied(term) for term in terms if not rivalry(term)] if only_denies(segments[index]) else terms
    return []


def only_denies(segment: Segment) -> bool:
    """Tell whether a segment denies of its organ or side what stands before it: "… is dilated, the right is not"."""
    last = segment.terms[-1] if segment.terms else None
    is_cue = last is not None and last.kind == "negation" and last.end == segment.end and last.key in ("not", "none")
    return is_cue and segment.silent and any(term.kind == "side" or term.mention for term in segment.terms)


def _denied(term: Term) -> Term:
    return replace(term, polarity=Polarity.NEGATED) if term.kind in ("finding", "modifier") else term


def _places_what_follows(segments: Sequence[Segment], index: int) -> bool:
    """Tell whether a segment only says where the finding behind it is: "…, and in the lower lobe, a second nodule"."""
    following = segments[index + 1] if index + 1 < len(segments) else None
    if following is None or not segments[index].preposed or following.joiner != "," or following.organs:
        return False
    return not _only_qualifies(following)


def _of_same_side(segments: Sequence[Segment], index: int, segment: Segment) -> list[Term]:
    """Return what a segment without a finding takes from the one at ``index`` before it.

    From one about the other side these are its findings, but not how large they are nor what is said of that side:
    "Effusion right 2 cm, left minimal", but "Sinuses: right opacified, left clear".
    """
    before = segments[index]
    if are_on_two_sides(before, segment) and not (before.findings or before.organs):
        # "bilateral cysts, resolved on the left and unchanged on the right"
        before = next((at for at in reversed(segments[:index]) if at.findings or at.organs), before)
    terms = unrivalled([on_own_side(term, segment) for term in before.terms], segment)
    if not are_on_two_sides(before, segment):
        return terms
    terms = [term for term in terms if not (rivalry(term) or term.attribute) or term.mention]
    terms = on_the_other_side(terms, before, segment)
    if before.verb is not None and gapped_side(segments, index):
        return [term for term in terms if term.end <= before.verb or term.mention]
    side = next((term.start for term in before.terms if term.kind == "side"), None)
    if side is None or not is_below_label(segments, index):
        return terms
    return [term for term in terms if term.end <= side or term.mention]


def is_below_label(segments: Sequence[Segment], index: int) -> bool:
    """Tell whether a segment stands behind a colon, and names no organ itself."""
    return not segments[index].organs and any(segment.joiner == ":" for segment in segments[: index + 1])


def _only_qualifies(segment: Segment) -> bool:
    """Tell whether a segment only qualifies another: sizes, severities, hedges without a finding or an organ."""
    return not segment.organs and not any(term.kind == "finding" and not term.attribute for term in segment.terms)


def unrivalled(terms: Iterable[Term], segment: Segment) -> list[Term]:
    """Return the terms of a neighbour without the sizes, sides and grades of which the segment has its own."""
    own = qualities(segment.terms)
    return [term for term in terms if rivalry(term) not in own]


def clauses_on_side(clauses: Sequence[Clause], side: str | None) -> tuple[Clause, ...]:
    """Return the clauses that say nothing of the other side alone: "A stenosis of the left, and the right is open"."""
    if side is None or len(clauses) < 2:
        return tuple(clauses)
    meant = {f"side:{side}", "side:both"}
    sides = [{term.key for term in clause.segment.terms if term.kind == "side"} for clause in clauses]
    return tuple(clause for clause, stated in zip(clauses, sides, strict=True) if not stated or stated & meant)
