"""Does one statement of a report carry all that a caption says? The checks behind every acceptance and refusal.

A caption may say less than its evidence, in another order or in synonyms. It may not say more, and it may not lose what
turns the meaning: a negation, a hedge, an exception, "previously".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz import fuzz

from .analysis import Analysis, Item, Reader, Segment
from .anatomy import POSITIONS, SIDES
from .assertion import Polarity
from .reading import implied_organs
from .schemas import Reason
from .tokens import Token, stem
from .units import NEUTRAL, Unit, available, units

SPELLING = 90.0
"""Similarity (0 to 100) from which two long words with the same beginning count as spellings of one word."""

_LITERAL, _SYNONYM, _SPELLED, _CONTEXT = 1.0, 0.9, 0.8, 0.7
_NOT_DROPPED = frozenset(("time:resolved", "time:previous", "time:prior"))
_COMPARATORS = {
    "less": "<", "under": "<", "below": "<", "smaller": "<", "<": "<", "≤": "<", "sub": "<", "within": "<",
    "more": ">", "over": ">", "above": ">", "greater": ">", "larger": ">", "exceeding": ">", ">": ">", "≥": ">",
}  # fmt: skip


@dataclass(slots=True)
class Problem:
    """One thing that the evidence does not carry."""

    reason: Reason
    detail: str
    weight: float = 1.0


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
        self.related = reader.anatomist.related
        self.check = lru_cache(maxsize=50_000)(self._check)
        self.check_organ = lru_cache(maxsize=50_000)(self._check_organ)
        self._pool = lru_cache(maxsize=50_000)(lambda text, index, context: _Pool(self, reader.analyse(text), index, context))

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
            if unit.heading and not self._names_organ(unit.items):
                continue
            index, problems, share, uses_context = self._best_segment(unit, claim, evidence, context)
            outcome.problems.extend(problems)
            outcome.uses_context |= uses_context
            weight = max(1, len(unit.segment.items))
            carried, total = carried + share * weight, total + weight
            used.append((unit, index))
        outcome.coverage = carried / total if total else 0.0
        if not outcome.problems:
            outcome.problems.extend(self._lost(used, claim, evidence))
            outcome.problems.extend(self._organ_problem(used, evidence, organ, context))
        return outcome

    # -- all that the caption says is in the evidence -------------------------------------------------------------

    def _best_segment(
        self, unit: Unit, claim: Analysis, evidence: Analysis, context: tuple[str, ...]
    ) -> tuple[int, list[Problem], float, bool]:
        best: tuple[int, list[Problem], float, bool] | None = None
        for index in range(len(evidence.segments)):
            pool = self._pool(evidence.text, index, context)
            problems, share, uses_context = self._missing(unit, claim, pool)
            if best is None or (len(problems), -share) < (len(best[1]), -best[2]):
                best = (index, problems, share, uses_context)
            if not problems and share == _LITERAL:
                break
        if best is None:
            return 0, [Problem(Reason.NOT_GROUNDED, "the statement says nothing that can be compared")], 0.0, False
        if best[1]:
            everywhere = self._pool(evidence.text, None, context)
            missing, *_ = self._missing(unit, claim, everywhere)
            if missing:
                return best[0], missing, best[2], best[3]
        return best

    def _missing(self, unit: Unit, claim: Analysis, pool: _Pool) -> tuple[list[Problem], float, bool]:
        problems: list[Problem] = []
        share, count, uses_context = 0.0, 0, False
        denies = _denies(unit.items)
        for item in unit.items:
            if item.kind in ("hedge", "negation"):
                continue
            own = item in unit.segment.items
            problem, weight = self._carried(item, claim, pool, denies if own else None)
            share, count = share + weight, count + 1
            uses_context |= item.kind == "organ" and weight == _CONTEXT
            if problem is not None:
                problems.append(problem)
        return problems, share / count if count else _LITERAL, uses_context

    def _carried(
        self, item: Item, claim: Analysis, pool: _Pool, denies: bool | None
    ) -> tuple[Problem | None, float]:
        """Problem with one item, and its weight. ``denies``: whether the claim denies a finding; None if not its own."""
        words = _words(claim, item)
        if item.kind == "organ":
            return pool.organ(item, words, denies)
        if item.kind == "side":
            return pool.side(item.key.removeprefix("side:"), words)
        if item.kind == "measure":
            return pool.measure(item, claim, words)
        return pool.word(item, words)

    # -- nothing that turns the meaning is lost -------------------------------------------------------------------

    def _lost(self, used: Sequence[tuple[Unit, int]], claim: Analysis, evidence: Analysis) -> Iterable[Problem]:
        said = {item.key for item in claim.items}
        for unit, index in used:
            segment = evidence.segments[index]
            findings = {item.key for item in unit.items if item.kind == "finding"}
            for item in segment.items:
                if item.key in _NOT_DROPPED and item.key not in said and _same_finding(segment, item, findings):
                    yield Problem(Reason.MODIFIER, f"leaves off “{_words(evidence, item)}”")
            yield from self._cut_negation(unit, segment, evidence)
        exception = next((m for m in evidence.matches if "exception" in m.entry.flags), None)
        if exception and not any("exception" in m.entry.flags for m in claim.matches):
            if any(_is_normality(item) and item.start < exception.start for _, i in used for item in evidence.segments[i].items):
                yield Problem(Reason.NEGATION, "leaves off the exception that follows")

    def _cut_negation(self, unit: Unit, segment: Segment, evidence: Analysis) -> Iterable[Problem]:
        """A caption that stops right where its evidence goes on to deny has been cut in the wrong place."""
        cue = next((item for item in segment.items if item.kind == "negation"), None)
        if cue is None or any(item.kind == "negation" or item.polarity == Polarity.NEGATED for item in unit.items):
            return
        keys = {item.key for item in unit.segment.items}
        before = [item for item in segment.items if item.end <= cue.start]
        after = [item for item in segment.items if item.start >= cue.end]
        if before and not any(item.key in keys for item in after) and any(item.key in keys for item in before):
            if evidence.tokens[cue.start].word in ("without", "not") or cue.polarity == Polarity.NEGATED or not after:
                yield Problem(Reason.NEGATION, f"leaves off “{_words(evidence, cue)}” that follows")

    # -- the organ it is filed under ------------------------------------------------------------------------------

    def _organ_problem(
        self, used: Sequence[tuple[Unit, int]], evidence: Analysis, organ: str, context: tuple[str, ...]
    ) -> Iterable[Problem]:
        claimed = [n for unit, _ in used for item in unit.items if item.mention for n in item.mention.names
                   if not item.mention.place]
        found: list[str] = []
        claims = [(unit, index) for unit, index in used if not unit.heading] or used
        for _, index in claims:
            items = available(evidence.segments, index)
            found += [n for item in items if item.mention and not item.mention.place for n in item.mention.names]
            found += implied_organs(self.reader, evidence.segments[index].items)
        found = found or [
            n for item in evidence.items if item.mention and not item.mention.place for n in item.mention.names
        ] or list(context)
        if any(self.covers(organ, name) for name in found):
            if not claimed or any(self.related(organ, name) for name in claimed):
                return
            if any(self.covers(organ, name) for _, i in claims for name in self._of_segment(evidence.segments[i])):
                return  # "a hiatal hernia at the lower end of the oesophagus" is about either
        if any(self._other_side(organ, name) for name in found):
            yield Problem(Reason.LATERALITY, f"the evidence is about {_listed(found)}, not {organ}")
        else:
            about = _listed(found) if found else "no organ that the vocabulary knows"
            yield Problem(Reason.WRONG_ORGAN, f"the evidence is about {about}, not {organ}")

    def _of_segment(self, segment: Segment) -> list[str]:
        named = [n for item in segment.items if item.mention and not item.mention.place for n in item.mention.names]
        return named + list(implied_organs(self.reader, segment.items))

    def covers(self, organ: str, name: str) -> bool:
        """Whether a statement about ``name`` is one about ``organ``: the same, or a part of it."""
        return organ == name or organ in self.reader.vocabulary.ancestors(name)

    def _other_side(self, organ: str, name: str) -> bool:
        organs = self.reader.vocabulary.organs
        if organ not in organs or name not in organs:
            return False
        side, other = organs[organ].side, organs[name].side
        same_pair = bool(set(organs[organ].parents) & set(organs[name].parents)) or name in organs[organ].parents
        return side is not None and side != other and same_pair

    def _names_organ(self, items: Sequence[Item]) -> bool:
        return any(item.kind == "organ" for item in items)


class _Pool:
    """What one segment of the evidence (or, with ``index`` None, the whole statement) offers to a caption."""

    def __init__(self, parent: Entailment, evidence: Analysis, index: int | None, context: tuple[str, ...]) -> None:
        self.parent, self.evidence, self.context = parent, evidence, context
        items = evidence.items if index is None else available(evidence.segments, index)
        self.items = items
        self.words_: dict[str, set[Polarity]] = {}
        self.sides: set[str] = set()
        self.named: set[str] = set()  # words inside organ names, of which a caption may hold a part
        for item in items:
            if item.kind in ("finding", "modifier"):
                for key in (item.key, *item.parts, *self._compounds(item)):
                    self.words_.setdefault(key, set()).add(item.polarity)
            if item.kind == "negation" or (item.entry and "pseudo_negation" in item.entry.flags):
                for word in evidence.stems[item.start : item.end]:  # "no suspicious …", "no increase in …"
                    self.words_.setdefault(parent.reader.lexicon.canonical(word), set()).add(Polarity.NEGATED)
            elif item.kind == "side":
                self.sides |= {"left", "right"} if item.key == "side:both" else {item.key.removeprefix("side:")}
            elif item.mention:
                stated = {SIDES.get(token.word) for token in evidence.tokens[item.start : item.end]}
                self.sides |= {side for side in stated if side in ("left", "right")}
                self.named.update(evidence.stems[item.start : item.end])
                self.sides |= {
                    side for n in item.mention.names if (side := parent.reader.vocabulary.organs[n].side) is not None
                }
        self.organs = [item for item in items if item.mention]
        self.implied = implied_organs(parent.reader, items if index is None else evidence.segments[index].items)
        self.denies = _denies(items)

    def organ(self, item: Item, words: str, denies: bool | None) -> tuple[Problem | None, float]:
        assert item.mention is not None
        for name in item.mention.names:
            weight = self._organ_weight(name, item)
            if weight == 0.0:
                return self._organ_problem(name, item, words), 0.0
        if denies is not None and not self._same_presence(item, denies):
            return Problem(Reason.NEGATION, f"the evidence is the opposite about “{words}” itself"), 0.5
        return None, weight

    def _same_presence(self, item: Item, denies: bool) -> bool:
        """An organ that is itself denied ("the right kidney is not visualised") must be denied in the caption too."""
        denied = item.polarity == Polarity.NEGATED and not denies
        names = set(item.mention.names if item.mention else ())
        organs = [other for other in self.organs if other.mention and names.intersection(other.mention.names)]
        if not organs or (self.denies and denies):
            return True
        return denied == (not self.denies and all(o.polarity == Polarity.NEGATED for o in organs))

    def _organ_weight(self, name: str, item: Item) -> float:
        covers = self.parent.covers
        for other in self.organs:
            mention = other.mention
            if mention is None or (mention.place and item.mention and not item.mention.place):
                continue
            if any(covers(name, own) for own in mention.names + mention.origin):
                return _LITERAL if name in mention.names else _SYNONYM
        if any(covers(name, own) for own in self.implied):
            return _SYNONYM
        if not any(o.mention and not o.mention.place for o in self.organs) and any(covers(name, c) for c in self.context):
            return _CONTEXT
        return 0.0

    def _organ_problem(self, name: str, item: Item, words: str) -> Problem:
        known = [n for other in self.organs if other.mention for n in other.mention.names] or list(self.context)
        if any(self.parent._other_side(name, own) for own in known):
            return Problem(Reason.LATERALITY, f"“{words}” where the evidence has {_listed(known)}")
        about = f"the evidence is about {_listed(known)}" if known else "the evidence names no organ"
        return Problem(Reason.WRONG_ORGAN, f"“{words}” is not in the evidence; {about}")

    def side(self, side: str, words: str) -> tuple[Problem | None, float]:
        wanted = {"left", "right"} if side == "both" else {side}
        if wanted <= self.sides:
            return None, _LITERAL
        return Problem(Reason.LATERALITY, f"“{words}” is not what the evidence says"), 0.0

    def measure(self, item: Item, claim: Analysis, words: str) -> tuple[Problem | None, float]:
        assert item.measure is not None
        wanted = item.measure
        for other in self.items:
            if other.measure is None or other.measure.kind != wanted.kind:
                continue
            if _is_subset(wanted.values, other.measure.values) and item.polarity == other.polarity:
                if _comparator(claim.tokens, item.start) == _comparator(self.evidence.tokens, other.start):
                    return None, _LITERAL
        return Problem(Reason.MEASUREMENT, f"“{words}” is not in the evidence"), 0.0

    def word(self, item: Item, words: str) -> tuple[Problem | None, float]:
        for key, weight in self._spellings(item, words):
            polarities = self.words_[key]
            if item.polarity in polarities or key in POSITIONS:
                return None, weight
            return self._turned(item, polarities, words), 0.5
        for parts in self._wordings(item):
            shared = set.intersection(*(self.words_[part] for part in parts))
            if item.polarity in shared:
                return None, _SYNONYM
            return self._turned(item, shared, words), 0.5
        if set(stem(word) for word in words.lower().split()) <= self.named:
            return None, _SYNONYM
        if item.kind == "modifier":
            return Problem(Reason.MODIFIER, f"“{words}” is not in the evidence"), 0.0
        if item.key in NEUTRAL:
            return None, 0.5
        return Problem(Reason.NOT_GROUNDED, f"“{words}” is not in the evidence"), 0.0

    def _wordings(self, item: Item) -> Iterable[tuple[str, ...]]:
        """The ways to say ``item`` in several words that the evidence has all words of."""
        if item.parts and all(part in self.words_ for part in item.parts):
            yield item.parts
        if item.entry:
            for wording in sorted(w for w in item.entry.wordings if len(w) > 1):
                named = [part for part in wording if part not in self.words_]
                if len(named) < len(wording) and all(self._names(part, item) for part in named):
                    yield tuple(part for part in wording if part in self.words_)

    def _compounds(self, item: Item) -> Iterable[str]:
        """Findings inside a name that holds its organ: "nephrolithiasis" is renal calculi, so it is calculi."""
        if item.entry and not item.entry.modifier:
            for wording in item.entry.wordings:
                named = [self.parent.reader.anatomist.resolve(part) is not None for part in wording]
                if len(wording) == 2 and sum(named) == 1 and ":" not in wording[named.index(False)]:
                    yield wording[named.index(False)]

    def _names(self, word: str, item: Item) -> bool:
        """Whether a word of a wording ("renal") is an organ that the evidence speaks of."""
        name = self.parent.reader.anatomist.resolve(word)
        organs = [n for other in self.organs if other.mention for n in other.mention.names] + list(self.context)
        return name is not None and any(self.parent.covers(name, organ) for organ in organs)

    def _spellings(self, item: Item, words: str) -> Iterable[tuple[str, float]]:
        if item.key in self.words_:
            yield item.key, _LITERAL if words.lower() in self.evidence.text.lower() else _SYNONYM
        elif item.entry is None and len(item.key) > 5:
            for key in self.words_:
                if key[:4] == item.key[:4] and fuzz.ratio(key, item.key) >= SPELLING:
                    yield key, _SPELLED
                    return

    def _turned(self, item: Item, polarities: set[Polarity], words: str) -> Problem:
        if Polarity.NEGATED in polarities or item.polarity == Polarity.NEGATED:
            denied = "denies" if item.polarity != Polarity.NEGATED else "does not deny"
            return Problem(Reason.NEGATION, f"the evidence {denied} “{words}”")
        hedged = "only suspects" if item.polarity == Polarity.AFFIRMED else "does not put in doubt"
        return Problem(Reason.MODIFIER, f"the evidence {hedged} “{words}”")


def _denies(items: Iterable[Item]) -> bool:
    return any(item.polarity == Polarity.NEGATED for item in items if item.kind in ("finding", "modifier", "measure"))


def _is_subset(wanted: tuple[float, ...], offered: tuple[float, ...]) -> bool:
    left = list(offered)
    for value in wanted:
        near = next((other for other in left if abs(other - value) <= 1e-6 * max(1.0, abs(value))), None)
        if near is None:
            return False
        left.remove(near)
    return True


def _comparator(tokens: Sequence[Token], at: int) -> str:
    for index in range(at - 1, max(-1, at - 3), -1):
        if tokens[index].word in _COMPARATORS:
            return _COMPARATORS[tokens[index].word]
        if tokens[index].word not in ("than", "or", "equal", "to", "-"):
            return ""
    return ""


def _same_finding(segment: Segment, item: Item, findings: set[str]) -> bool:
    return any(other.key in findings for other in segment.findings if other is not item)


def _is_normality(item: Item) -> bool:
    return item.entry is not None and "normality" in item.entry.flags


def _words(analysis: Analysis, item: Item) -> str:
    return analysis.text[analysis.tokens[item.start].start : analysis.tokens[item.end - 1].end]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
