"""Wordings of a caption: how a statement can be cut so that it stands alone for one of its organs.

Wordings come from the shortest to the whole statement. They reuse the report's own words; of a list of organs only the
caption's own one stays, and the verb agrees with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curation.language.analysis import Analysis, Item, Segment
from curation.language.assertion import Polarity
from curation.language.clauses import Unit
from curation.language.word_lists import PARTIAL_NAME_WORDS, VERBS

_SINGULAR = {"are": "is", "were": "was", "have": "has", "show": "shows", "appear": "appears"}
_LEAD_IN = re.compile(
    r"^(?:(?:as far as can be (?:seen|observed|evaluated)|however|in addition|additionally|also|again|incidentally|"
    r"otherwise|moreover|furthermore|and|but|with|which|that|as)\b[,:\s]*)+",
    re.IGNORECASE,
)
_BOTH = re.compile(r"\b(?:both|bilateral|bilaterally|each|either)(?:\s+of)?(?:\s+the)?\s*$", re.IGNORECASE)
_DOUBLED = re.compile(r"\bthe (both|the)\b|\bin (in|at)\b", re.IGNORECASE)
_STILL_BOTH = re.compile(r"\b(?:both|bilateral|bilaterally)\b", re.IGNORECASE)
_LOCATIVE = re.compile(r"\b(?:in|at|within|on|for)$", re.IGNORECASE)
_PLURAL_VERB = re.compile(r"^((?:\w+ ){0,2}?)(are|were|have|show|appear)\b")
_DANGLING = re.compile(
    r"(?:\b(?:as|and|or|of|the|in|with|to|for|by|at|than|from|both|which)|;\s*\w+)$|\b(\w{4,})\s+\1\b", re.IGNORECASE
)
_EDGE = " .,;:\"'“”-–"


@dataclass(frozen=True, slots=True, eq=False)
class OrganClaim:
    """The units of a statement about one organ, and the item that names it (None where it is implied)."""

    organ: str
    units: tuple[Unit, ...]
    item: Item | None
    part: str = ""  # the part of the organ that the mention names ("left lung base")

    @property
    def name(self) -> str:
        """The name of the part, or else of the organ."""
        return self.part or self.organ


def caption_wordings(claim: OrganClaim, claims: Sequence[OrganClaim], analysis: Analysis) -> Iterator[str]:
    """Yield wordings of ``claim``, best first; the last ones repeat the whole statement. ``claims``: all of it."""
    statement = _clean(analysis.text)
    if len(claims) == 1 and claim.item is not None:
        yield statement
    station = _station_text(claim, analysis)
    if station:
        yield _clean(station)
    runs = list(_runs(claim, analysis)) if _has_finding(claim) else []
    if runs:
        text = "; ".join(runs)
        if claim.item is not None and _names_organ(claim):
            yield _clean(text)
        yield f"{_capital(claim.organ)}: {_lower(_clean(text))}"
    yield statement
    yield f"{_capital(claim.organ)}: {_lower(statement)}"


def is_well_formed(caption: str) -> bool:
    """Return whether a cut wording ends where a sentence may end, and repeats no word."""
    return _DANGLING.search(caption) is None


def _has_finding(claim: OrganClaim) -> bool:
    """Return whether the claim says what is found, not just where or how much ("especially in the lingula")."""
    items = [item for unit in claim.units for item in unit.segment.items]
    if any(item.kind == "finding" and not item.attribute for item in items):
        return True
    if any(item.mention and (item.mention.device or item.mention.finding) for item in items):
        return True
    if all(unit.segment.silent for unit in claim.units):
        return True
    return not claim.units[0].segment.joiner and all(item.key != "size:largest" for item in items)


def _names_organ(claim: OrganClaim) -> bool:
    return any(claim.item in unit.segment.items for unit in claim.units)


def _runs(claim: OrganClaim, analysis: Analysis) -> Iterator[str]:
    """Yield the text of each run of neighbouring segments, completed by what it shares with the others."""
    run: list[Unit] = []
    order = {id(segment): index for index, segment in enumerate(analysis.segments)}
    for unit in claim.units:
        if run and order[id(unit.segment)] != order[id(run[-1].segment)] + 1:
            yield _run_text(claim, run, analysis)
            run = []
        run.append(unit)
    if run:
        yield _run_text(claim, run, analysis)


def _run_text(claim: OrganClaim, run: Sequence[Unit], analysis: Analysis) -> str:
    first, last = run[0].segment, run[-1].segment
    text = _with_full_name(claim, analysis, _between(analysis, first.start, last.end))
    mention = claim.item.mention if claim.item else None
    if mention is not None and len(mention.names) == 2 and first.start <= mention.start and mention.end <= last.end:
        text = _for_one_side(claim, analysis, first, last)
    elif len(run) == 1 and mention is not None and first.joiner and not mention.plural and first.verb is not None:
        if mention.end <= first.verb:  # the last of a list: "… and pancreas are normal"
            text = (
                f"{_between(analysis, first.start, first.verb)} {_singular(_between(analysis, first.verb, last.end))}"
            )
    if first.silent and not any(unit.segment.findings for unit in run[1:]):
        first_text = text if len(run) == 1 else _between(analysis, first.start, first.end)
        rest = _between(analysis, run[1].segment.start, last.end) if len(run) > 1 else ""
        shared = _shared_text(claim, run[0], first_text, analysis)
        if len(run) == 1 or shared != first_text:
            return f"{shared}, {rest}" if rest else shared
    return _with_cue(run, text, analysis)


def _with_full_name(claim: OrganClaim, analysis: Analysis, text: str) -> str:
    """Replace the "right upper" of "right upper and left lower lobes" by the organ's full name."""
    mention = claim.item.mention if claim.item else None
    if mention is None or mention.station or len(mention.names) > 1:
        return text
    words = _between(analysis, mention.start, mention.end)
    is_partial = all(word.lower() in PARTIAL_NAME_WORDS for word in words.split())
    return text.replace(words, claim.name, 1) if is_partial else text


def _for_one_side(claim: OrganClaim, analysis: Analysis, first: Segment, last: Segment) -> str:
    """Return "Left kidney is normal" for "Both kidneys are normal". Sizes are not repeated for each side."""
    assert claim.item is not None and claim.item.mention is not None
    mention = claim.item.mention
    items = [item for item in analysis.items if first.start <= item.start < last.end]
    if any(item.kind == "measure" or (item.kind == "side" and item.key != "side:both") for item in items):
        return _between(analysis, first.start, last.end)
    before, after = _between(analysis, first.start, mention.start), _between(analysis, mention.end, last.end)
    before = _BOTH.sub("", before).rstrip()
    name = claim.name
    if mention.adjective:  # "left pleural effusion", not "left pleura effusion"
        name = f"{name.split()[0]} {_between(analysis, mention.start, mention.end)}"
    verb = next((i for i in range(first.start, mention.start) if analysis.tokens[i].word in VERBS), None)
    if verb is None and not _LOCATIVE.search(before):
        after = _PLURAL_VERB.sub(lambda match: match[1] + _SINGULAR[match[2]], after, count=1)
    text = f"{before} {name} {after}".strip()
    return _between(analysis, first.start, last.end) if _STILL_BOTH.search(text) else text


def _shared_text(claim: OrganClaim, unit: Unit, text: str, analysis: Analysis) -> str:
    """Return a member of a list with the predicate behind the list, or with the findings before it."""
    segment = unit.segment
    inherited = [item for item in unit.items if item not in segment.items and item.kind != "organ"]
    if not inherited:
        return text
    source = next((s for s in analysis.segments if any(item in s.items for item in inherited)), None)
    if source is None:
        return text
    if source.start > segment.start:
        begin = source.verb if source.verb is not None else min(item.start for item in inherited)
        rest = _between(analysis, begin, source.end)
        mention = claim.item.mention if claim.item is not None else None
        is_plural = mention is not None and mention.plural and len(mention.names) != 2
        return f"{text} {rest if is_plural else _singular(rest)}"
    site = next(iter(source.sites), None)
    body = _between(analysis, source.start, site.start if site else source.end)
    return _with_cue([Unit(source, list(source.items))], f"{body} {_without_verb(text, segment, analysis)}", analysis)


def _station_text(claim: OrganClaim, analysis: Analysis) -> str:
    """Return the part of "No enlarged lymph nodes in the hila and the mediastinum" for one station; "" for others."""
    mention = claim.item.mention if claim.item else None
    if mention is None or not mention.station:
        return ""
    source = next((s for s in analysis.segments if any(item.key == "lymph nodes" for item in s.organs)), None)
    if source is None:
        return ""
    nodes = next(item for item in source.organs if item.key == "lymph nodes")
    stations = [item for item in source.organs if item.mention and item.mention.station]
    starts = [item.start for item in stations if item.start > nodes.end]
    middle = _between(analysis, nodes.end, min(starts, default=source.end))
    middle = re.sub(r"(?:\s|\b(?:in|at|of|within|the|both|bilateral)\b)+$", "", middle)
    return f"{_between(analysis, source.start, nodes.start)} {claim.organ} {middle}".strip()


def _without_verb(text: str, segment: Segment, analysis: Analysis) -> str:
    return text if segment.verb is None else _between(analysis, segment.start, segment.verb)


def _with_cue(run: Sequence[Unit], text: str, analysis: Analysis) -> str:
    """Return the text with the "no" or "was not observed" that governs its segments from outside them."""
    start, end = run[0].segment.start, run[-1].segment.end
    qualities = [item for unit in run for item in unit.segment.items if item.kind in ("finding", "modifier")]
    if all(item.polarity == Polarity.AFFIRMED for item in qualities):
        return text
    cues = [item for item in analysis.items if item.kind in ("negation", "hedge")]
    if any(start <= cue.start < end for cue in cues):
        return text
    before = [cue for cue in cues if cue.end <= start]
    after = [cue for cue in cues if cue.start >= end]
    if before and (not after or analysis.tokens[before[-1].start].word in ("no", "without")):
        return f"{_between(analysis, before[-1].start, before[-1].end)} {text}"
    if after:
        return f"{text} {_between(analysis, after[0].start, after[0].end)}"
    return text


def _singular(text: str) -> str:
    """Return a predicate with its verb in the singular."""
    head, _, rest = text.partition(" ")
    return f"{_SINGULAR.get(head, head)} {rest}".strip()


def _between(analysis: Analysis, start: int, end: int) -> str:
    """Return the text of the tokens ``[start, end)``."""
    if start >= end:
        return ""
    return analysis.text[analysis.tokens[start].start : analysis.tokens[end - 1].end]


def _clean(text: str) -> str:
    text = _DOUBLED.sub(lambda match: match[1] or match[2], " ".join(text.split())).replace(" ,", ",")
    return _capital(_LEAD_IN.sub("", text.strip(_EDGE)).strip(_EDGE))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text if text[1:2].isupper() or text[1:2].isdigit() else text[:1].lower() + text[1:]
