"""Words a caption: cuts a statement so that it stands alone for one of its organs.

Wordings come from the shortest to the whole statement. They reuse the report's own words; of a list of organs only the
caption's own one stays, and the verb agrees with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.structure.listed_subjects import is_listed_subject
from curation.language.structure.quality_kinds import is_whereabouts
from curation.language.word_lists import DENIALS_BEFORE, PARTIAL_NAME_WORDS, SIDES

from .agreement import agreeing, capital, cleaned, lowered
from .cuts.one_side import for_one_side
from .non_findings import tells_of_examination

_ASIDE = re.compile(r"^,? ?to a (?:lesser|greater) (?:degree|extent),? ?", re.IGNORECASE)
_PARTS_OF_ANYTHING = frozenset(("anastomosis",))  # of which organ, the label says
_SIDE_LABEL = re.compile(r"^(left|right)\s*[-–:]\s+", re.IGNORECASE)
_EXTREMES = frozenset(("maximum", "maxim", "minimum", "max"))
_OF_SIDE = re.compile(r"of\b", re.IGNORECASE)
_OF_THE = re.compile(r"\s+of(?: the)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class OrganClaim:
    """The clauses of a statement about one organ, and the term that names it (None where it is implied)."""

    organ: str
    clauses: tuple[Clause, ...]
    term: Term | None
    part: str = ""  # what the mention names of it ("left lung base")
    below_heading: bool = False  # only the heading says which organ of its kind is meant

    @property
    def name(self) -> str:
        """The name of the part, or else of the organ."""
        return self.part or self.organ


def caption_wordings(
    claim: OrganClaim, claims: Sequence[OrganClaim], statement: ParsedStatement, text: str
) -> Iterator[str]:
    """Yield wordings of ``claim``, best first; the last ones repeat the whole statement.

    ``claims``: all of the statement, which the report writes as ``text``.
    """
    whole_text, names_organ = cleaned(text), claim.term is not None and not claim.below_heading
    if len(claims) == 1 and names_organ and not _ends_in_advice(claim, statement):
        yield whole_text
    if claim.organ in _PARTS_OF_ANYTHING and _stands_behind_label(claim, statement):
        yield whole_text
        return
    station = _station_text(claim, statement)
    if station:
        yield cleaned(station)
    runs = list(_runs(claim, statement)) if _has_finding(claim) else []
    if runs:
        text = "; ".join(runs)
        if names_organ and _names_organ(claim):
            yield cleaned(text)
        yield f"{capital(claim.organ)}: {lowered(cleaned(_without_side_label(text, claim.organ)))}"
    by_name = f"{capital(claim.organ)}: {lowered(whole_text)}"
    yield from (by_name,) if claim.below_heading else (whole_text, by_name) if claim.term else (by_name, whole_text)


def _stands_behind_label(claim: OrganClaim, statement: ParsedStatement) -> bool:
    """Return whether a label that names an organ stands before a claim: "Portal vein: patent, anastomosis narrowed"."""
    return any(
        term.mention is not None and term.end < len(statement.tokens) and statement.tokens[term.end].word == ":"
        for term in statement.terms
        if claim.term is not None and term.end < claim.term.start
    )


def _without_side_label(text: str, organ: str) -> str:
    """Return a wording without the side that it begins with as a label, where the organ says it: "Left - normal"."""
    label = _SIDE_LABEL.match(text)
    return text[label.end() :] if label and organ.startswith(label[1].lower()) else text


def _ends_in_advice(claim: OrganClaim, statement: ParsedStatement) -> bool:
    """Return whether a statement ends in what is no finding: "a cyst in the liver, and CT could be repeated"."""
    last = statement.segments[-1]
    is_beyond = last.start >= max(clause.segment.end for clause in claim.clauses)
    return is_beyond and tells_of_examination(last, statement)


def _has_finding(claim: OrganClaim) -> bool:
    """Return whether the claim says what is found, not just where or how much ("especially in the lingula")."""
    terms = [term for clause in claim.clauses for term in clause.segment.terms]
    if any(term.kind == "finding" and not term.attribute for term in terms):
        return True
    if any(term.mention and (term.mention.device or term.mention.finding) for term in terms):
        return True
    if all(clause.segment.silent for clause in claim.clauses):
        return True
    return not claim.clauses[0].segment.joiner and all(term.key != "size:largest" for term in terms)


def _names_organ(claim: OrganClaim) -> bool:
    return any(claim.term in clause.segment.terms for clause in claim.clauses)


def _runs(claim: OrganClaim, statement: ParsedStatement) -> Iterator[str]:
    """Yield the text of each run of neighbouring segments, completed by what it shares with the others."""
    run: list[Clause] = []
    order = {id(segment): index for index, segment in enumerate(statement.segments)}
    for clause in claim.clauses:
        if run and order[id(clause.segment)] != order[id(run[-1].segment)] + 1:
            yield _run_text(claim, run, statement)
            run = []
        run.append(clause)
    if run and not (run[0] is not claim.clauses[0] and _only_measures(run)):
        yield _run_text(claim, run, statement)


def _only_measures(run: Sequence[Clause]) -> bool:
    """Return whether a run apart from its claim's organ has nothing but sizes, which are those of what it stands by."""
    return all(term.kind == "measure" for clause in run for term in clause.segment.terms)


def _run_text(claim: OrganClaim, run: Sequence[Clause], statement: ParsedStatement) -> str:
    first, last = run[0].segment, run[-1].segment
    text = _with_full_name(claim, statement, _between(statement, first.start, last.end))
    mention = claim.term.mention if claim.term else None
    if (
        claim.term is not None
        and mention is not None
        and len(mention.names) == 2
        and not mention.numbers
        and first.start <= mention.start
        and mention.end <= last.end
    ):
        text = for_one_side(claim.name, claim.organ, claim.term, statement, first, last)
    elif mention is not None and first.joiner and not mention.plural and first.verb is not None:
        if (
            first.start <= mention.start and mention.end <= first.verb
        ):  # the last of a list: "… and pancreas are normal"
            subject = _between(statement, first.start, first.verb)
            text = f"{subject} {agreeing(subject, _between(statement, first.verb, last.end))}"
    at = next(index for index, segment in enumerate(statement.segments) if segment is first)
    is_headless = statement.tokens[first.start].word == "of"  # "(dilatation of the ureter and) of the calyces, …"
    if (first.silent or is_listed_subject(statement, at)) and (is_headless or not any(map(_tells_more, run[1:]))):
        first_text = text if len(run) == 1 else _between(statement, first.start, first.end)
        rest = _between(statement, run[1].segment.start, last.end) if len(run) > 1 else ""
        shared = _shared_text(claim, run[0], first_text, statement)
        if len(run) == 1 or shared != first_text:
            return f"{shared}, {rest}" if rest else shared
    return _with_cue(run, text, statement)


def _tells_more(clause: Clause) -> bool:
    """Tell whether a clause names a finding, and not only what a size is of: "maximum thickness 14 mm"."""
    terms = clause.segment.terms
    is_size = any(term.kind == "measure" for term in terms) and clause.segment.verb is None
    return any(
        not (is_size and (term.attribute or is_whereabouts(term) or term.key in _EXTREMES))
        for term in clause.segment.findings
    )


def _with_full_name(claim: OrganClaim, statement: ParsedStatement, text: str) -> str:
    """Replace the "right upper" of "right upper and left lower lobes" by the organ's full name."""
    mention = claim.term.mention if claim.term else None
    if mention is None or mention.station or len(mention.names) > 1:
        return text
    words = _between(statement, mention.start, mention.end)
    is_partial = all(word.lower() in PARTIAL_NAME_WORDS for word in words.split())
    return text.replace(words, claim.name, 1) if is_partial else text


def _shared_text(claim: OrganClaim, clause: Clause, text: str, statement: ParsedStatement) -> str:
    """Return a member of a list with the predicate behind the list, or with the findings before it."""
    segment = clause.segment
    inherited = [term for term in clause.terms if term not in segment.terms and term.kind != "organ"]
    if not inherited:
        return text
    source = next((s for s in statement.segments if any(term in s.terms for term in inherited)), None)
    if source is None:
        return text
    if source.start > segment.start:
        first = min(term.start for term in inherited)
        begin = source.verb
        if begin is None:  # behind the name, so that "of significant size" keeps its "of"
            begin = max((term.end for term in source.organs if term.end <= first), default=first)
        rest = _between(statement, begin, source.end)
        return f"{text} {agreeing(text, rest)}"
    if segment.terms and segment.terms[0].kind == "finding":
        return text  # no name of a further place: "(a mass at the tonsil) and crosses into the palate"
    site = next(reversed(source.sites), None)
    text = _ASIDE.sub("", text)
    end = site.start if site else source.end
    if site and (_OF_SIDE.match(text) or text.split()[0].lower() in SIDES):
        while end > source.start and statement.tokens[end - 1].word in SIDES:
            end -= 1  # "effacement of the right sulci and of the right cistern"
    body = _between(statement, source.start, end)
    body = _OF_THE.sub("", body) if _OF_SIDE.match(text) else body
    return _with_cue(
        [Clause(source, list(source.terms))], f"{body} {_without_verb(text, segment, statement)}", statement
    )


def _station_text(claim: OrganClaim, statement: ParsedStatement) -> str:
    """Return the part of "No enlarged lymph nodes in the hila and the mediastinum" for one station; "" for others."""
    mention = claim.term.mention if claim.term else None
    if mention is None or not mention.station:
        return ""
    source = next((s for s in statement.segments if any(term.key == "lymph nodes" for term in s.organs)), None)
    if source is None:
        return ""
    nodes = next(term for term in source.organs if term.key == "lymph nodes")
    stations = [term for term in source.organs if term.mention and term.mention.station]
    starts = [term.start for term in stations if term.start > nodes.end]
    middle = _between(statement, nodes.end, min(starts, default=source.end))
    middle = re.sub(r"(?:\s|\b(?:in|at|of|within|the|both|bilateral)\b)+$", "", middle)
    return f"{_between(statement, source.start, nodes.start)} {claim.organ} {middle}".strip()


def _without_verb(text: str, segment: Segment, statement: ParsedStatement) -> str:
    return text if segment.verb is None else _between(statement, segment.start, segment.verb)


def _with_cue(run: Sequence[Clause], text: str, statement: ParsedStatement) -> str:
    """Return the text with the "no" or "was not observed" that governs its segments from outside them."""
    start, end = run[0].segment.start, run[-1].segment.end
    qualities = [term for clause in run for term in clause.segment.terms if term.kind in ("finding", "modifier")]
    if all(term.polarity == Polarity.AFFIRMED for term in qualities):
        return text
    cues = [term for term in statement.terms if term.kind in ("negation", "hedge")]
    if any(start <= cue.start < end for cue in cues):
        return text
    before = [cue for cue in cues if cue.end <= start]
    after = [cue for cue in cues if cue.start >= end]
    if before and (not after or statement.tokens[before[-1].start].word in DENIALS_BEFORE):
        return f"{_between(statement, before[-1].start, before[-1].end)} {text}"
    if after:
        return f"{text} {_between(statement, after[0].start, after[0].end)}"
    return text


def _between(statement: ParsedStatement, start: int, end: int) -> str:
    """Return the text of the tokens ``[start, end)``."""
    if start >= end:
        return ""
    return statement.text[statement.tokens[start].start : statement.tokens[end - 1].end]
