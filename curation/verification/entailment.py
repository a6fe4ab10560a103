"""Does one statement of a report carry all that a caption says? The checks behind every acceptance and refusal.

A caption may say less than its evidence, in another order or in synonyms. It may not say more, and it may not lose what
turns the meaning: a negation, a hedge, an exception, "previously".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from curation.caption import Reason
from curation.language.analysis import CACHED, Analysis, Item, Reader, Segment
from curation.language.assertion import Polarity
from curation.language.clauses import Unit, available, is_whereabouts, units
from curation.language.word_lists import HARD_BREAKS

from .evidence import LITERAL, Evidence, Gap, denies
from .filing import Problem, listed
from .fitting import Claim, Fit, at_with, fit, is_normality, read_claim
from .organs import Places, implied_organs, subjects
from .statements_read import normalised

_CLOSEST = 4
"""Segments of a statement that a claim is held against, those that share most words with it first."""
_NOT_DROPPED = frozenset(("time:resolved", "time:previous", "time:prior"))
_NARROWING = frozenset(("time", "size", "severity", "density"))
_NO_LESS_DENIED = frozenset(("severity:significant", "severity:definite", "severity:prominent", "time:active"))
_CLAUSE_ENDS = HARD_BREAKS | {","}
_NOW = frozenset(("now", "current", "currently", "today", "still"))


@dataclass(slots=True)
class Finding:
    """Outcome of holding a caption against one statement. ``coverage`` is the share of the caption carried (0 to 1)."""

    problems: list[Problem] = field(default_factory=list)
    coverage: float = 0.0
    uses_context: bool = False


class Entailment:
    """Holds captions against statements; the reader gives both the same analysis."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.places = Places(reader)
        self.related = reader.anatomist.related
        self.check = lru_cache(maxsize=CACHED)(self._check)
        self.check_organ = lru_cache(maxsize=CACHED)(self._check_organ)
        self._claims = lru_cache(maxsize=2_000)(self._read_claims)
        self._offers = lru_cache(maxsize=2_000)(self._offer)

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
        if not evidence.segments:
            return Finding([Problem(Reason.NOT_GROUNDED, "the statement says nothing that can be compared")])
        outcome = Finding()
        carried = total = 0.0
        used: list[tuple[Unit, int]] = []
        for each in self._claims(caption):
            for part, found in self._fits(each, claim, evidence, organ, context):
                outcome.problems.extend(_problem(gap, item, claim, found.offer) for gap, item in found.gaps)
                outcome.uses_context |= found.uses_context
                weight = max(1, len(part.unit.segment.items))
                carried, total = carried + found.share * weight, total + weight
                used.append((part.unit, found.segment))
        outcome.coverage = carried / total if total else 0.0
        if not any(map(_says_something, claim.items)) and (
            normalised(caption) not in normalised(statement) or _say_something(used, evidence, claim)
        ):
            outcome.problems.append(Problem(Reason.NOT_GROUNDED, "it names an organ and says nothing of it"))
        if not outcome.problems and _denies_another(evidence, claim):
            outcome.problems.append(Problem(Reason.NEGATION, "the evidence does not deny the organ itself"))
        if not outcome.problems:
            outcome.problems.extend(self._lost(used, claim, evidence))
            outcome.problems.extend(self._organ_problem(used, evidence, organ, context))
        return outcome

    # -- all that the caption says is in the evidence -------------------------------------------------------------

    def _read_claims(self, caption: str) -> tuple[Claim, ...]:
        analysis = self.reader.analyse(caption)
        kept = [u for u in units(analysis) if not u.heading or any(item.kind == "organ" for item in u.items)]
        return tuple(read_claim(unit, analysis, self.places) for unit in kept)

    def _fits(
        self, claim: Claim, caption: Analysis, evidence: Analysis, organ: str, context: tuple[str, ...]
    ) -> list[tuple[Claim, Fit]]:
        """The claim with the segment that fits it best, or its two halves if each of them fits one."""
        best = self._best_fit(claim, evidence, organ, context)
        if best.gaps and len(evidence.segments) > 1:
            halves = [read_claim(unit, caption, self.places) for unit in at_with(claim.unit, caption)]
            fits = [(half, self._best_fit(half, evidence, organ, context)) for half in halves]
            if fits and not any(one.gaps for _, one in fits):
                return fits
        return [(claim, best)]

    def _best_fit(self, claim: Claim, evidence: Analysis, organ: str, context: tuple[str, ...]) -> Fit:
        text, count = evidence.text, len(evidence.segments)
        if count == 1:
            return fit(claim, self._offers(text, 0, context), 0)
        # A word that stands nowhere in the statement settles it, and says more than one that stands elsewhere in it.
        whole = fit(claim, self._offers(text, None, context), 0)
        if any(gap.weight == 0.0 and item.kind not in ("organ", "side") for gap, item in whole.gaps):
            return whole
        best: Fit | None = None
        closest = self._closest(claim, evidence, context)
        if not claim.organs:  # "open", of the bronchi: of several that it fits, the segment that is about them
            closest = sorted(closest, key=lambda index: not self._is_about(organ, evidence, index))
        for index in closest:
            found = fit(claim, self._offers(text, index, context), index)
            if best is None or (len(found.gaps), -found.share) < (len(best.gaps), -best.share):
                best = found
            if not found.gaps and found.share == LITERAL:
                break
        assert best is not None
        return whole._replace(segment=best.segment) if best.gaps and whole.gaps else best

    def _is_about(self, organ: str, evidence: Analysis, index: int) -> bool:
        return any(self.places.covers(organ, name) for name in self._of(evidence.segments[index]))

    def _closest(self, claim: Claim, evidence: Analysis, context: tuple[str, ...]) -> Sequence[int]:
        """Segments to hold a claim against: of many, those that share most with it."""
        count = len(evidence.segments)
        if count <= _CLOSEST:
            return range(count)

        def shared(index: int) -> int:
            offer = self._offers(evidence.text, index, context)
            same = sum(wanted.item.key in offer.polarities for wanted in claim.wanted)
            same += len(set(claim.organs).intersection(offer.known()))
            sizes = [wanted.item for wanted in claim.wanted if wanted.item.kind == "measure"]
            return same + sum(not isinstance(offer.measure(item), Gap) for item in sizes)

        return sorted(range(count), key=shared, reverse=True)[:_CLOSEST]

    # -- nothing that turns the meaning is lost -------------------------------------------------------------------

    def _lost(self, used: Sequence[tuple[Unit, int]], claim: Analysis, evidence: Analysis) -> Iterator[Problem]:
        said = {item.key for item in claim.items}
        for unit, index in used:
            segment = evidence.segments[index]
            for item in _turning(unit, segment, evidence):
                if item.key not in said:
                    yield Problem(Reason.MODIFIER, f"leaves off “{_words(evidence, item)}”")
            yield from self._cut_negation(unit, segment, evidence)
        if _denials(claim) and not _denials(evidence) and not denies(evidence.items):
            yield Problem(Reason.NEGATION, "the evidence denies nothing")
        if _denied_twice(claim) and not _denied_twice(evidence):
            yield Problem(Reason.NEGATION, "denies twice what the evidence denies once")
        exception = next((m for m in evidence.matches if "exception" in m.entry.flags), None)
        if exception and not any("exception" in m.entry.flags for m in claim.matches):
            items = [item for _, index in used for item in evidence.segments[index].items]
            if any(is_normality(item) and item.start < exception.start for item in items):
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
            word = evidence.tokens[cue.start].word
            if word == "not" or (word == "without" and any(map(is_normality, before))) or not after:
                yield Problem(Reason.NEGATION, f"leaves off “{_words(evidence, cue)}” that follows")

    # -- the organ it is filed under ------------------------------------------------------------------------------

    def _organ_problem(
        self, used: Sequence[tuple[Unit, int]], evidence: Analysis, organ: str, context: tuple[str, ...]
    ) -> Iterator[Problem]:
        claims = [(unit, index) for unit, index in used if not unit.heading] or used
        found = self._subjects(claims, evidence) or subjects(evidence.items) or list(context)
        if self._only_part(claims, organ, found):
            yield Problem(Reason.WRONG_ORGAN, f"the evidence is about {listed(found)} and not about all of {organ}")
            return
        if any(self.places.covers(organ, name) for name in found):
            sided = self.reader.vocabulary.sided
            named = [name for unit, _ in used for name in subjects(unit.items)]
            claimed = [one for name in named for one in (name, *(sided(name) or ()))]
            if not claimed or any(self.related(organ, name) for name in claimed):
                return
            if any(self.places.covers(organ, name) for _, i in claims for name in self._of(evidence.segments[i])):
                return  # "a hiatal hernia at the lower end of the oesophagus" is about either
        if self._meant_by_pair(claims, evidence, organ, found, context) or self._under_heading(used, organ, found):
            return
        if any(self.places.other_side(organ, name) for name in found):
            yield Problem(Reason.LATERALITY, f"the evidence is about {listed(found)}, not {organ}")
        else:
            about = listed(found) if found else "no organ that the vocabulary knows"
            yield Problem(Reason.WRONG_ORGAN, f"the evidence is about {about}, not {organ}")

    def _only_part(self, claims: Sequence[tuple[Unit, int]], organ: str, found: Sequence[str]) -> bool:
        """Whether ``organ`` as a whole is called normal, or rid of something, by words about a part of it: "normal" of
        the trachea, filed under the mediastinum."""
        filed_under, halves = self.reader.vocabulary.filed_under, self.reader.vocabulary.sided(organ) or ()
        if any(organ in (name, filed_under(name)) or self.places.is_half(organ, name) for name in found):
            return False
        if not found or (halves and set(halves) <= set(found)) or self.reader.vocabulary.organs[organ].region:
            return False
        return any(
            not subjects(unit.items)
            and not implied_organs(self.reader, unit.items)
            and (denies(unit.items) or any(is_normality(item) for item in unit.items))
            for unit, _ in claims
        ) and any(self.places.covers(organ, name) for name in found)

    def _under_heading(self, used: Sequence[tuple[Unit, int]], organ: str, found: Sequence[str]) -> bool:
        """Whether the heading is about ``organ`` and what stands under it about no other side: "LUNGS: See CT." """
        organs = self.reader.vocabulary.organs
        headed = any(self.places.covers(organ, n) for unit, _ in used if unit.heading for n in subjects(unit.items))
        return headed and all(organs[name].side in (None, organs[organ].side) for name in found)

    def _subjects(self, claims: Sequence[tuple[Unit, int]], evidence: Analysis) -> list[str]:
        found: list[str] = []
        for _, index in claims:
            found += subjects(available(evidence, index))
            found += implied_organs(self.reader, evidence.segments[index].items)
        return found

    def _of(self, segment: Segment) -> list[str]:
        return subjects(segment.items) + list(implied_organs(self.reader, segment.items))

    def _meant_by_pair(
        self,
        claims: Sequence[tuple[Unit, int]],
        evidence: Analysis,
        organ: str,
        found: Sequence[str],
        context: tuple[str, ...],
    ) -> bool:
        """Whether what is said of a pair holds for ``organ``, one side of it: as no other side is spoken of ("pleural
        plaque in the right basal segment"), or as it is denied without a side ("No renal stone")."""
        if not any(self.places.is_half(organ, name) for name in found):
            return False
        side = self.reader.vocabulary.organs[organ].side
        for _, index in claims:
            stated = self._offers(evidence.text, index, context).sides
            if stated != {side} and (stated or not denies(evidence.segments[index].items)):
                return False
        return True


def _say_something(used: Iterable[tuple[Unit, int]], evidence: Analysis, claim: Analysis) -> bool:
    """Whether the segments that a caption was cut from say more than where: "the liver is", of a normal liver. A mere
    name, such as "Kidneys" of "Kidneys: small", is cut from all of its statement."""
    if all(segment.verb is None for segment in claim.segments):
        return any(map(_says_something, evidence.items))
    return any(_says_something(item) for _, index in used for item in evidence.segments[index].items)


def _denies_another(evidence: Analysis, claim: Analysis) -> bool:
    """Whether a caption denies an organ, and nothing else, of which its evidence reports a finding: "no liver"."""
    if not _denials(claim) or any(item.kind not in ("organ", "side", "negation") for item in claim.items):
        return False
    denied = set(subjects(claim.items))
    spoken_of = [segment for segment in evidence.segments if denied.intersection(subjects(segment.items))]
    return any(
        item.kind in ("finding", "measure") and not is_whereabouts(item) and not _is_absence(item)
        for segment in spoken_of
        for item in segment.items
    )


def _is_absence(item: Item) -> bool:
    """ "Hysterectomy" is a finding, and denies the uterus."""
    return item.entry is not None and "absent_organ" in item.entry.flags


def _says_something(item: Item) -> bool:
    mention = item.mention
    if item.kind in ("organ", "side"):
        return mention is not None and (mention.device or mention.finding)
    return not is_whereabouts(item)


def _denials(analysis: Analysis) -> list[Item]:
    return [item for item in analysis.items if item.kind == "negation"]


def _denied_twice(analysis: Analysis) -> bool:
    """Whether one clause is denied from both its ends: "No effusion was not seen"."""
    cues = _denials(analysis)
    return any(
        earlier.entry is not None
        and earlier.entry.negation == "before"
        and (later.entry is None or later.entry.negation == "after")
        and not any(token.word in _CLAUSE_ENDS for token in analysis.tokens[earlier.end : later.start])
        for earlier, later in pairwise(cues)
    )


def _turning(unit: Unit, segment: Segment, evidence: Analysis) -> Iterator[Item]:
    """Qualifiers of the evidence without which its finding would mean another thing."""
    findings = {item.key for item in unit.items if item.kind == "finding"}
    current = any(token.word in _NOW for token in evidence.tokens[segment.start : segment.end])
    for item in segment.items:
        dropped = item.key in _NOT_DROPPED and not (current and item.key != "time:resolved")
        same = any(other.key in findings for other in segment.findings if other is not item)
        if same and (dropped or _narrows_denial(item, unit)):
            yield item


def _narrows_denial(item: Item, unit: Unit) -> bool:
    """Whether less is denied with this qualifier than without: "no large effusion", "no nodule above 5 mm"."""
    if item.polarity != Polarity.NEGATED or item.key in _NO_LESS_DENIED:
        return False
    if item.measure is not None:
        return not any(other.measure for other in unit.items)
    return item.kind == "modifier" and item.entry is not None and item.entry.modifier in _NARROWING


def _problem(gap: Gap, item: Item, claim: Analysis, offer: Evidence) -> Problem:
    said = gap.says.format(words=_words(claim, item), known=listed(offer.known()))
    return Problem(gap.reason, said, gap.final)


def _words(analysis: Analysis, item: Item) -> str:
    return analysis.text[analysis.tokens[item.start].start : analysis.tokens[item.end - 1].end]
