"""Words for a claim: the shortest wording of a statement that stands alone for one of its organs.

Wordings are tried from the shortest to the whole statement. They reuse the report's own words; only the organ of a list
is put in its place and the verb agrees with it.
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
class Claim:
    """What a statement says of one organ: the segments, and the mention that names it (None where it is implied)."""

    organ: str
    units: tuple[Unit, ...]
    item: Item | None
    part: str = ""  # the part of the organ that the mention names ("left lung base")

    @property
    def name(self) -> str:
        return self.part or self.organ


def captions_for(claim: Claim, claims: Sequence[Claim], analysis: Analysis) -> Iterator[str]:
    """Wordings of ``claim``, best first; the last ones repeat the whole statement."""
    whole = _clean(analysis.text)
    if len(claims) == 1 and claim.item is not None:
        yield whole
    station = _station_text(claim, analysis)
    if station:
        yield _clean(station)
    runs = list(_runs(claim, analysis)) if _has_finding(claim) else []
    if runs:
        text = "; ".join(runs)
        if claim.item is not None and _names_it(claim):
            yield _clean(text)
        yield f"{_capital(claim.organ)}: {_lower(_clean(text))}"
    yield whole
    yield f"{_capital(claim.organ)}: {_lower(whole)}"


def reads_well(caption: str) -> bool:
    """Whether a cut wording ends where a sentence may end, and stammers nowhere."""
    return _DANGLING.search(caption) is None


def _has_finding(claim: Claim) -> bool:
    """Whether the claim's own words say what is found, not just where or how much: "especially in the lingula"."""
    items = [item for unit in claim.units for item in unit.segment.items]
    if any(item.kind == "finding" and not item.attribute for item in items):
        return True
    if any(item.mention and (item.mention.device or item.mention.finding) for item in items):
        return True
    if all(unit.segment.silent for unit in claim.units):
        return True
    return not claim.units[0].segment.joiner and all(item.key != "size:largest" for item in items)


def _names_it(claim: Claim) -> bool:
    return any(claim.item in unit.segment.items for unit in claim.units)


def _runs(claim: Claim, analysis: Analysis) -> Iterator[str]:
    """Text of each run of neighbouring segments of the claim, completed by what it shares with the others."""
    run: list[Unit] = []
    order = {id(segment): index for index, segment in enumerate(analysis.segments)}
    for unit in claim.units:
        if run and order[id(unit.segment)] != order[id(run[-1].segment)] + 1:
            yield _run_text(claim, run, analysis)
            run = []
        run.append(unit)
    if run:
        yield _run_text(claim, run, analysis)


def _run_text(claim: Claim, run: Sequence[Unit], analysis: Analysis) -> str:
    first, last = run[0].segment, run[-1].segment
    text = _named(claim, analysis, _between(analysis, first.start, last.end))
    mention = claim.item.mention if claim.item else None
    if mention is not None and len(mention.names) == 2 and first.start <= mention.start and mention.end <= last.end:
        text = _one_side(claim, analysis, first, last)
    elif len(run) == 1 and mention is not None and first.joiner and not mention.plural and first.verb is not None:
        if mention.end <= first.verb:  # the last of a list: "… and pancreas are normal"
            text = f"{_between(analysis, first.start, first.verb)} {_agree(_between(analysis, first.verb, last.end))}"
    if first.silent and not any(unit.segment.findings for unit in run[1:]):
        own = text if len(run) == 1 else _between(analysis, first.start, first.end)
        rest = _between(analysis, run[1].segment.start, last.end) if len(run) > 1 else ""
        shared = _shared_text(claim, run[0], own, analysis)
        if len(run) == 1 or shared != own:
            return f"{shared}, {rest}" if rest else shared
    return _with_cue(run, text, analysis)


def _named(claim: Claim, analysis: Analysis, text: str) -> str:
    """ "Right upper" of "right upper and left lower lobes" by its whole name."""
    mention = claim.item.mention if claim.item else None
    if mention is None or mention.station or len(mention.names) > 1:
        return text
    words = _between(analysis, mention.start, mention.end)
    bare = all(word.lower() in PARTIAL_NAME_WORDS for word in words.split())
    return text.replace(words, claim.name, 1) if bare else text


def _one_side(claim: Claim, analysis: Analysis, first: Segment, last: Segment) -> str:
    """ "Both kidneys are normal" for one of them: "Left kidney is normal". Sizes are not handed out to each side."""
    assert claim.item is not None and claim.item.mention is not None
    mention = claim.item.mention
    told = [item for item in analysis.items if first.start <= item.start < last.end]
    if any(item.kind == "measure" or (item.kind == "side" and item.key != "side:both") for item in told):
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


def _shared_text(claim: Claim, unit: Unit, text: str, analysis: Analysis) -> str:
    """A member of a list with the predicate behind the list, or with the findings before it."""
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
        plural = claim.item is not None and claim.item.mention is not None and claim.item.mention.plural
        one = claim.item is not None and claim.item.mention is not None and len(claim.item.mention.names) == 2
        return f"{text} {rest if plural and not one else _agree(rest)}"
    site = next(iter(source.sites), None)
    body = _between(analysis, source.start, site.start if site else source.end)
    return _with_cue([Unit(source, list(source.items))], f"{body} {_strip_verb(text, segment, analysis)}", analysis)


def _station_text(claim: Claim, analysis: Analysis) -> str:
    """ "No enlarged lymph nodes were seen in the hila and the mediastinum" for one of the stations."""
    mention = claim.item.mention if claim.item else None
    if mention is None or not mention.station:
        return ""
    source = next((s for s in analysis.segments if any(item.key == "lymph nodes" for item in s.organs)), None)
    if source is None:
        return ""
    whole = next(item for item in source.organs if item.key == "lymph nodes")
    listed = [item for item in source.organs if item.mention and item.mention.station]
    stations = [item.start for item in listed if item.start > whole.end]
    middle = _between(analysis, whole.end, min(stations, default=source.end))
    middle = re.sub(r"(?:\s|\b(?:in|at|of|within|the|both|bilateral)\b)+$", "", middle)
    return f"{_between(analysis, source.start, whole.start)} {claim.organ} {middle}".strip()


def _strip_verb(text: str, segment: Segment, analysis: Analysis) -> str:
    return text if segment.verb is None else _between(analysis, segment.start, segment.verb)


def _with_cue(run: Sequence[Unit], text: str, analysis: Analysis) -> str:
    """Add the "no" or "was not observed" that governs a segment from outside it."""
    start, end = run[0].segment.start, run[-1].segment.end
    meant = {item.polarity for unit in run for item in unit.segment.items if item.kind in ("finding", "modifier")}
    wanted = meant - {Polarity.AFFIRMED}
    if not wanted:
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


def _agree(text: str) -> str:
    head, _, rest = text.partition(" ")
    return f"{_SINGULAR.get(head, head)} {rest}".strip()


def _between(analysis: Analysis, start: int, end: int) -> str:
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
