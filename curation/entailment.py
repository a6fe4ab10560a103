"""Does one statement of a report carry all that a caption says? The checks behind every acceptance and refusal.

A caption may say less than its evidence, in another order or in synonyms. It may not say more, and it may not lose what
turns the meaning: a negation, a hedge, an exception, "previously".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from .analysis import Analysis, Item, Reader, Segment
from .assertion import Polarity
from .evidence import CONTEXT, LITERAL, Evidence, Gap, Places, denies
from .reading import implied_organs
from .schemas import Reason
from .units import Unit, available, units

_CLOSEST = 4
"""Segments of a statement that a claim is held against, those that share most words with it first."""
_NOT_DROPPED = frozenset(("time:resolved", "time:previous", "time:prior"))
_NOT_DROPPED_DENIED = frozenset(("time:new", "time:recent", "time:increased"))
_NOW = frozenset(("now", "current", "currently", "today", "still"))
_CUT_AFTER = frozenset(("not",))


@dataclass(slots=True)
class Problem:
    """One thing that the evidence does not carry."""

    reason: Reason
    detail: str


@dataclass(slots=True)
class Finding:
    """Outcome of holding a caption against one statement. ``coverage`` is the share of the caption carried (0 to 1)."""

    problems: list[Problem] = field(default_factory=list)
    coverage: float = 0.0
    uses_context: bool = False


class _Fit(NamedTuple):
    """How well one segment carries one claim: what is missing, and the share of it that is carried."""

    index: int
    gaps: list[tuple[Gap, Item]]
    share: float
    uses_context: bool


class Entailment:
    """Holds captions against statements; the reader gives both the same analysis."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.places = Places(reader)
        self.related = reader.anatomist.related
        self.check = lru_cache(maxsize=50_000)(self._check)
        self.check_organ = lru_cache(maxsize=50_000)(self._check_organ)
        self._offers = lru_cache(maxsize=50_000)(self._offer)

    def _offer(self, statement: str, index: int | None, context: tuple[str, ...]) -> Evidence:
        return Evidence(self.reader, self.places, self.reader.analyse(statement), index, context)

    def _check_organ(self, statement: str, organ: str, context: tuple[str, ...]) -> Finding:
        """Hold a caption that repeats the whole of ``statement`` against it: only its organ can be wrong."""
        evidence = self.reader.analyse(statement)
        outcome = Finding(coverage=1.0)
        used = [(unit, index) for index, unit in enumerate(units(evidence))]
        outcome.problems.extend(self._organ_problem(used, evidence, organ, context))
        return outcome

    def _check(self, caption: str, statement: str, organ: str, context: tuple[str, ...]) -> Finding:
        """Hold ``caption`` about ``organ`` (canonical) against ``statement``, which goes on about ``context``."""
        claim, evidence = self.reader.analyse(caption), self.reader.analyse(statement)
        outcome = Finding()
        carried = total = 0.0
        used: list[tuple[Unit, int]] = []
        for unit in units(claim):
            if unit.heading and not any(item.kind == "organ" for item in unit.items):
                continue
            fit, offer = self._best_fit(unit, claim, evidence, context)
            if fit.gaps and len(evidence.segments) > 1 and (parts := _at_with(unit, claim)):
                fits = [(part, *self._best_fit(part, claim, evidence, context)) for part in parts]
                if not any(part_fit.gaps for _, part_fit, _ in fits):
                    used += [(part, part_fit.index) for part, part_fit, _ in fits[1:]]
                    unit, fit, offer = fits[0]
            outcome.problems.extend(_problem(gap, item, claim, offer) for gap, item in fit.gaps)
            outcome.uses_context |= fit.uses_context
            weight = max(1, len(unit.segment.items))
            carried, total = carried + fit.share * weight, total + weight
            used.append((unit, fit.index))
        outcome.coverage = carried / total if total else 0.0
        if not evidence.segments:
            outcome.problems = [Problem(Reason.NOT_GROUNDED, "the statement says nothing that can be compared")]
        elif not outcome.problems:
            outcome.problems.extend(self._lost(used, claim, evidence))
            outcome.problems.extend(self._organ_problem(used, evidence, organ, context))
        return outcome

    # -- all that the caption says is in the evidence -------------------------------------------------------------

    def _best_fit(
        self, unit: Unit, claim: Analysis, evidence: Analysis, context: tuple[str, ...]
    ) -> tuple[_Fit, Evidence]:
        text, best = evidence.text, _Fit(0, [], 0.0, False)
        offer = self._offers(text, None, context)
        for index in self._closest(unit, evidence, context):
            offered = self._offers(text, index, context)
            fit = self._fit(unit, claim, offered, index)
            if offer.items is evidence.items or (len(fit.gaps), -fit.share) < (len(best.gaps), -best.share):
                best, offer = fit, offered
            if not fit.gaps and fit.share == LITERAL:
                break
        if best.gaps:  # a word that stands nowhere in the statement says more than one that stands elsewhere in it
            whole = self._offers(text, None, context)
            missing = self._fit(unit, claim, whole, best.index)
            if missing.gaps:
                return best._replace(gaps=missing.gaps), whole
        return best, offer

    def _closest(self, unit: Unit, evidence: Analysis, context: tuple[str, ...]) -> Sequence[int]:
        count = len(evidence.segments)
        if count == 1:
            return (0,)
        keys = {item.key for item in unit.items if item.kind in ("finding", "modifier")}
        values = [item.measure for item in unit.items if item.measure]
        organs = {name for item in unit.items if item.mention for name in item.mention.names}

        def shared(index: int) -> int:
            offer = self._offers(evidence.text, index, context)
            same = len(keys & offer.polarities.keys()) + len(organs.intersection(offer.known()))
            return same + sum(any(o.measure and o.measure.carries(v) for o in offer.items) for v in values)

        if count <= _CLOSEST:
            return range(count)
        return sorted(range(count), key=shared, reverse=True)[:_CLOSEST]

    def _fit(self, unit: Unit, claim: Analysis, offer: Evidence, index: int) -> _Fit:
        gaps: list[tuple[Gap, Item]] = []
        share, count, uses_context = 0.0, 0, False
        denied, organs = denies(unit.items), _subjects(unit.items)
        for item in unit.items:
            own = item in unit.segment.items
            if item.kind in ("hedge", "negation") or (item.kind == "modifier" and not own):
                continue  # a grade taken over from a neighbour has been looked at there
            if item.kind == "side":
                weight = offer.side(item.key.removeprefix("side:"), organs)
            else:
                weight = self._weigh(item, claim, offer, denied if own else None)
            count += 1
            if isinstance(weight, Gap):
                gaps.append((weight, item))
                weight = weight.weight
            share += weight
            uses_context |= item.kind == "organ" and weight == CONTEXT
        return _Fit(index, gaps, share / count if count else LITERAL, uses_context)

    def _weigh(self, item: Item, claim: Analysis, offer: Evidence, denied: bool | None) -> Gap | float:
        if item.kind == "measure":
            return offer.measure(item)
        words = _words(claim, item)
        return offer.organ(item, words, denied) if item.kind == "organ" else offer.word(item, words)

    # -- nothing that turns the meaning is lost -------------------------------------------------------------------

    def _lost(self, used: Sequence[tuple[Unit, int]], claim: Analysis, evidence: Analysis) -> Iterator[Problem]:
        said = {item.key for item in claim.items}
        for unit, index in used:
            segment = evidence.segments[index]
            for item in _turning(unit, segment, evidence):
                if item.key not in said:
                    yield Problem(Reason.MODIFIER, f"leaves off “{_words(evidence, item)}”")
            yield from self._cut_negation(unit, segment, evidence)
        exception = next((m for m in evidence.matches if "exception" in m.entry.flags), None)
        if exception and not any("exception" in m.entry.flags for m in claim.matches):
            items = [item for _, index in used for item in evidence.segments[index].items]
            if any(_is_normality(item) and item.start < exception.start for item in items):
                yield Problem(Reason.NEGATION, "leaves off the exception that follows")

    def _cut_negation(self, unit: Unit, segment: Segment, evidence: Analysis) -> Iterator[Problem]:
        """A caption that stops right where its evidence goes on to deny has been cut in the wrong place."""
        cue = next((item for item in segment.items if item.kind == "negation"), None)
        if cue is None or any(item.kind == "negation" or item.polarity == Polarity.NEGATED for item in unit.items):
            return
        keys = {item.key for item in unit.segment.items}
        before = [item for item in segment.items if item.end <= cue.start]
        after = [item for item in segment.items if item.start >= cue.end]
        if before and not any(item.key in keys for item in after) and any(item.key in keys for item in before):
            if evidence.tokens[cue.start].word in _CUT_AFTER or cue.polarity == Polarity.NEGATED or not after:
                yield Problem(Reason.NEGATION, f"leaves off “{_words(evidence, cue)}” that follows")

    # -- the organ it is filed under ------------------------------------------------------------------------------

    def _organ_problem(
        self, used: Sequence[tuple[Unit, int]], evidence: Analysis, organ: str, context: tuple[str, ...]
    ) -> Iterator[Problem]:
        claims = [(unit, index) for unit, index in used if not unit.heading] or used
        found = self._subjects(claims, evidence) or _subjects(evidence.items) or list(context)
        if any(self.places.covers(organ, name) for name in found):
            claimed = [name for unit, _ in used for name in _subjects(unit.items)]
            if not claimed or any(self.related(organ, name) for name in claimed):
                return
            if any(self.places.covers(organ, name) for _, i in claims for name in self._of(evidence.segments[i])):
                return  # "a hiatal hernia at the lower end of the oesophagus" is about either
        if self._denied_of_pair(claims, evidence, organ, found):
            return
        if any(self.places.other_side(organ, name) for name in found):
            yield Problem(Reason.LATERALITY, f"the evidence is about {_listed(found)}, not {organ}")
        else:
            about = _listed(found) if found else "no organ that the vocabulary knows"
            yield Problem(Reason.WRONG_ORGAN, f"the evidence is about {about}, not {organ}")

    def _subjects(self, claims: Sequence[tuple[Unit, int]], evidence: Analysis) -> list[str]:
        found: list[str] = []
        for _, index in claims:
            found += _subjects(available(evidence.segments, index))
            found += implied_organs(self.reader, evidence.segments[index].items)
        return found

    def _of(self, segment: Segment) -> list[str]:
        return _subjects(segment.items) + list(implied_organs(self.reader, segment.items))

    def _denied_of_pair(
        self, claims: Sequence[tuple[Unit, int]], evidence: Analysis, organ: str, found: Sequence[str]
    ) -> bool:
        """Whether all that is claimed is denied of both sides, and so of each: "No renal stone"."""
        if not any(self.places.is_half(organ, name) for name in found):
            return False
        return all(denies(evidence.segments[index].items) for _, index in claims)


def _at_with(unit: Unit, claim: Analysis) -> list[Unit]:
    """A claim cut before "with" or "without": what follows may be told in another segment, of the same organ."""
    segment = unit.segment
    cut = next((at for at in range(segment.start + 1, segment.end) if claim.tokens[at].word in ("with", "without")), None)
    if cut is None:
        return []
    halves = [[i for i in segment.items if i.start < cut], [i for i in segment.items if i.start >= cut]]
    if not all(any(item.kind == "finding" for item in half) for half in halves):
        return []
    sites = [item for item in unit.items if item.mention and item not in halves[1]]
    first = Unit(segment, halves[0] + [item for item in unit.items if item not in segment.items])
    return [first, Unit(segment, halves[1] + ([] if any(i.mention for i in halves[1]) else sites))]


def _turning(unit: Unit, segment: Segment, evidence: Analysis) -> Iterator[Item]:
    """Qualifiers of the evidence without which its finding would mean another thing."""
    findings = {item.key for item in unit.items if item.kind == "finding"}
    current = any(token.word in _NOW for token in evidence.tokens[segment.start : segment.end])
    for item in segment.items:
        dropped = item.key in _NOT_DROPPED and not (current and item.key != "time:resolved")
        if dropped or (item.key in _NOT_DROPPED_DENIED and item.polarity == Polarity.NEGATED):
            if any(other.key in findings for other in segment.findings if other is not item):
                yield item


def _subjects(items: Iterable[Item]) -> list[str]:
    return [name for item in items if item.mention and not item.mention.place for name in item.mention.names]


def _problem(gap: Gap, item: Item, claim: Analysis, offer: Evidence) -> Problem:
    return Problem(gap.reason, gap.says.format(words=_words(claim, item), known=_listed(offer.known())))


def _is_normality(item: Item) -> bool:
    return item.entry is not None and "normality" in item.entry.flags


def _words(analysis: Analysis, item: Item) -> str:
    return analysis.text[analysis.tokens[item.start].start : analysis.tokens[item.end - 1].end]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
