"""Whether a statement affirms, denies or only suspects what it names.

Cues from the lexicon act on the words before or behind them, up to the end of their clause. The idea of trigger phrases
with a direction and a scope is that of NegEx and ConText (Chapman et al. 2001, Harkema et al. 2009); the clause rules
are our own, because radiology denies more often behind the finding ("effusion was not observed") than those assume.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Literal

from .lexicon import Entry, Match, load_lexicon
from .tokens import Token, tokenize
from .word_lists import AUXILIARIES, EARLIER_WORDS, HARD_BREAKS, REPORTING_WORDS, SOFT_BREAKS, VERBS


class Polarity(IntEnum):
    """How a word is meant. ``ATTRIBUTED`` is said through an opinion ("consistent with a cyst")."""

    AFFIRMED = 0
    NEGATED = 1
    UNCERTAIN = 2
    ATTRIBUTED = 3


_HEDGED_ON = frozenset(("or", "versus", "vs", "/", "(", ")"))  # "likely a mixed tumor (adenoma)"
_OPENERS = frozenset("there a an it this these those he she they".split())
_BETWEEN = frozenset(
    "be been any clearly definitely convincingly longer yet otherwise readily well significantly obviously "
    "certainly currently now optimally".split()
)
_CHANGE = frozenset("chang differ increas decreas progress growth interv regress improv worsen".split())


class Scopes:
    """The clause structure of one tokenised statement, and the polarity that its cues give to each token."""

    def __init__(
        self,
        tokens: Sequence[Token],
        stems: Sequence[str],
        matches: Sequence[Match],
        covered: Sequence[bool],
        subjects: frozenset[int] = frozenset(),
    ) -> None:
        """``covered`` marks tokens inside a name or phrase, where "and" or "," is no break; ``subjects`` are the
        token indices at which an organ mention begins."""
        self.tokens, self.stems, self.matches, self.subjects = tokens, stems, matches, subjects
        self.breaks = [
            index
            for index, token in enumerate(tokens)
            if not covered[index] and (token.word in HARD_BREAKS or token.word in SOFT_BREAKS)
        ]
        self.verbs = [index for index, token in enumerate(tokens) if token.word in VERBS]
        self.ends = {m.start for m in matches if "scope_end" in m.entry.flags and m.entry.negation is None}
        self.normal = {m.start for m in matches if "normality" in m.entry.flags and m.entry.negation is None}
        self.polarity = [Polarity.AFFIRMED] * len(tokens)
        self.cues: dict[int, tuple[int, Polarity]] = {}  # start -> (end, what the cue makes of its scope)
        self._apply()

    def clause_end(self, at: int) -> int:
        """Index behind the last token of the clause that a cue ending at ``at`` acts on."""
        for index in range(at, len(self.tokens)):
            if index in self.ends:
                return index
            if index in self._break_set and self._opens_clause(index, at):
                return index
            if self.stems[index] in _CHANGE and index + 1 < len(self.tokens):
                if self.tokens[index + 1].word in ("in", "of", "compared", "relative", "since", "from", "as", "with"):
                    return index + 1
        return len(self.tokens)

    def clause_start(self, at: int) -> int:
        """Index of the first token of the clause that a cue starting at ``at`` acts on, looking back."""
        for index in range(at - 1, -1, -1):
            if index in self.ends:
                return index + 1
            if index not in self._break_set:
                continue
            if self.tokens[index].word in HARD_BREAKS and self.tokens[index].word not in "()":
                return index + 1
            earlier = max((b for b in self.breaks if b < index and self.tokens[b].word in HARD_BREAKS), default=-1)
            if any(earlier < other < index for other in (*self.verbs, *self.normal)):
                return index + 1
        return 0

    def _apply(self) -> None:
        self._break_set = set(self.breaks)
        negations = []
        for match in self._cue_matches():
            entry = match.entry
            if entry.hedge:
                self._hedge(match)
            else:
                negations.append(match)
        for match in negations:
            self._negate(match)
        for match in self.matches:
            if match.entry.hedge == "after":
                self._hedge(match)
        self._question_marks()

    def _cue_matches(self) -> list[Match]:
        found = [match for match in self.matches if match.entry.negation or match.entry.hedge]
        taken = {
            index
            for match in self.matches
            if len(match.entry.flags) or match.entry.negation or match.entry.hedge
            for index in range(match.start, match.end)
            if match.end - match.start > 1 or match.entry.negation
        }
        for index, token in enumerate(self.tokens):
            if token.word in ("not", "cannot", "n't") and index not in taken:
                found.append(self._not(index))
        return sorted(found, key=lambda match: match.start)

    def _not(self, index: int) -> Match:
        """The reach of a bare "not": back over the finding it reports ("was not clearly seen"), else onwards."""
        end = index + 1
        while end < len(self.tokens) and self.tokens[end].word in _BETWEEN:
            end += 1
        if end < len(self.tokens) and self.stems[end] in REPORTING_WORDS:
            start = index
            while start and self.tokens[start - 1].word in AUXILIARIES:
                start -= 1
            return Match(start, end + 1, _NOT_SEEN)
        return Match(index, index + 1, _NOT)

    def _negate(self, match: Match) -> None:
        self.cues[match.start] = (match.end, Polarity.NEGATED)
        if match.entry.negation == "before":
            self._set(match.end, self.clause_end(match.end), Polarity.NEGATED)
            return
        if any(stem in EARLIER_WORDS for stem in self.stems[match.end : match.end + 5]):
            return  # "was not observed in the previous examination" denies nothing today
        start = self.clause_start(match.start)
        if self._has_words(start, match.start):
            self._set(start, match.start, Polarity.NEGATED)
            if match.end not in self._break_set:  # "… in either hemithorax"
                self._set(match.end, self.clause_end(match.end), Polarity.NEGATED)
        else:
            self._set(match.end, self.clause_end(match.end), Polarity.NEGATED)

    def _has_words(self, start: int, end: int) -> bool:
        return any(
            self.tokens[index].word[0].isalnum() and self.tokens[index].word not in AUXILIARIES
            for index in range(start, end)
        )

    def _hedge(self, match: Match) -> None:
        kind = Polarity.ATTRIBUTED if match.entry.attributive else Polarity.UNCERTAIN
        self.cues[match.start] = (match.end, kind)
        adverb = self.tokens[match.end - 1].word.endswith("ly")  # "is probably enlarged", unlike "is probable"
        if match.entry.hedge == "before" or adverb:
            self._set(match.end, self._hedge_end(match.end), kind)
            return
        start = self.clause_start(match.start)
        if self._has_words(start, match.start):
            self._set(start, match.start, kind)
        else:
            self._set(match.end, self._hedge_end(match.end), kind)

    def _hedge_end(self, at: int) -> int:
        """A hedge reaches over alternatives ("atelectasis or infiltrate") but not into the next item of a list."""
        for index in range(at, len(self.tokens)):
            if index in self.ends:
                return index
            if index in self._break_set and index > at and self.tokens[index].word not in _HEDGED_ON:
                return index
        return len(self.tokens)

    def _question_marks(self) -> None:
        for index, token in enumerate(self.tokens):
            if token.word != "?":
                continue
            start = max((b + 1 for b in self.breaks if b < index), default=0)
            start = max([start] + [other + 1 for other in range(start, index) if self.tokens[other].word == "?"])
            if start == index and index + 1 < len(self.tokens):  # "?pneumonia"
                self._set(index + 1, self._hedge_end(index + 1), Polarity.UNCERTAIN)
            else:
                self._set(start, index, Polarity.UNCERTAIN)

    def _set(self, start: int, end: int, polarity: Polarity) -> None:
        for index in range(start, end):
            self.polarity[index] = polarity

    def _opens_clause(self, index: int, since: int) -> bool:
        """Whether the break at ``index`` begins a clause of its own rather than the next item of a list."""
        word = self.tokens[index].word
        if word in HARD_BREAKS:
            return word not in "()" or index > since
        following = index + 1
        if following >= len(self.tokens):
            return False
        if self.tokens[following].word in _OPENERS or following in self.cues or self._is_cue(following):
            return self.tokens[following].word in _OPENERS or word == ","
        stop = min((b for b in self.breaks if b > following), default=len(self.tokens))
        verb = next((v for v in self.verbs if following <= v < stop), None)
        if verb is None:
            return False
        if any(since <= v < index for v in self.verbs):
            return True
        if any(following <= at < stop for at in self.normal):
            return True
        return following in self.subjects and self._predicates(verb, stop)

    def _is_cue(self, index: int) -> bool:
        return any(match.start == index and match.entry.negation == "before" for match in self.matches)

    def _predicates(self, verb: int, stop: int) -> bool:
        """Whether a verb is followed by a quality of its own ("is enlarged"), not by a report of seeing."""
        return any(
            self.tokens[index].word[0].isalpha()
            and self.tokens[index].word not in VERBS
            and self.stems[index] not in REPORTING_WORDS
            for index in range(verb + 1, stop)
        )


_NOT = Entry(key="not", negation="before")
_NOT_SEEN = Entry(key="not seen", negation="after")


@lru_cache(maxsize=20_000)
def _polarities(sentence: str) -> tuple[list[Token], list[Polarity]]:
    lexicon = load_lexicon()
    tokens = tokenize(sentence)
    stems = [lexicon.base(token) for token in tokens]
    return tokens, Scopes(tokens, stems, lexicon.matches(stems), [False] * len(tokens)).polarity


def assess(sentence: str, condition_start: int, condition_end: int) -> Literal["negated", "affirmed", "possible"]:
    """How ``sentence`` means the words in ``sentence[condition_start:condition_end]``.

    A condition counts as possible or negated as soon as one of its words is.
    """
    tokens, polarities = _polarities(sentence)
    inside = {
        polarity
        for token, polarity in zip(tokens, polarities, strict=True)
        if token.start < condition_end and token.end > condition_start
    }
    if Polarity.UNCERTAIN in inside:
        return "possible"
    return "negated" if Polarity.NEGATED in inside else "affirmed"
