"""Whether a statement affirms, denies or only suspects what it names: polarities by cues and their scopes.

Cues from the lexicon act on the words before or behind them, up to the end of their clause. The idea of trigger phrases
with a direction and a scope is that of NegEx and ConText (Chapman et al. 2001, Harkema et al. 2009); the clause rules
are our own, because radiology denies more often behind the finding ("effusion was not observed") than those assume.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Literal

from .lexicon.lexicon import LexiconEntry, PhraseMatch, load_lexicon
from .tokens import Token, tokenize
from .word_lists import (
    ADVERBS_AFTER_NOT,
    AUXILIARIES,
    CHANGE_STEMS,
    CLAUSE_OPENERS,
    EARLIER_STEMS,
    HARD_BREAKS,
    HEDGE_EXTENDERS,
    NOT_WORDS,
    PREPOSITIONS_AFTER_CHANGE,
    REPORTING_STEMS,
    SOFT_BREAKS,
    VERBS,
)


class Polarity(IntEnum):
    """How a word is meant. ``ATTRIBUTED``: it is stated through an opinion ("consistent with a cyst")."""

    AFFIRMED = 0
    NEGATED = 1
    UNCERTAIN = 2
    ATTRIBUTED = 3


_NOT = LexiconEntry(key="not", negation="before")
_NOT_SEEN = LexiconEntry(key="not seen", negation="after")
_EARLIER_REACH = 5
"""Tokens behind "was not seen" within which "previous" makes it a denial of another day."""


class Scopes:
    """Finds the clauses of one tokenised statement and the polarity that its cues give to each token.

    ``polarity`` has an entry for each token; ``cues`` maps the first token of each cue to the index behind it and the
    polarity that it gives to its scope; ``breaks`` are the tokens at which segments end.
    """

    def __init__(
        self,
        tokens: Sequence[Token],
        stems: Sequence[str],
        matches: Sequence[PhraseMatch],
        covered: Sequence[bool],
        subjects: frozenset[int] = frozenset(),
    ) -> None:
        """Work out the polarities.

        ``covered`` marks tokens inside a name or phrase, where "and" or "," is no break; ``subjects`` are the token
        indices at which an organ mention begins.
        """
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
        self.cues: dict[int, tuple[int, Polarity]] = {}
        self._break_set = set(self.breaks)
        self._apply()

    def clause_end(self, at: int) -> int:
        """Return the index behind the last token of the clause that a cue ending at ``at`` acts on."""
        for index in range(at, len(self.tokens)):
            if index in self.ends:
                return index
            if index in self._break_set and self._opens_clause(index, at):
                return index
            if self.stems[index] in CHANGE_STEMS and index + 1 < len(self.tokens):
                if self.tokens[index + 1].word in PREPOSITIONS_AFTER_CHANGE:
                    return index + 1
        return len(self.tokens)

    def clause_start(self, at: int) -> int:
        """Return the index of the first token of the clause that a cue starting at ``at`` acts on, looking back."""
        for index in range(at - 1, -1, -1):
            if index in self.ends:
                return index + 1
            if index not in self._break_set:
                continue
            if self.tokens[index].word in HARD_BREAKS and self.tokens[index].word not in "()":
                return index + 1
            before = max((b for b in self.breaks if b < index and self.tokens[b].word in HARD_BREAKS), default=-1)
            if any(before < predicate < index for predicate in (*self.verbs, *self.normal)):
                return index + 1
        return 0

    def _apply(self) -> None:
        """Let each cue act on its scope: hedges first, denials over them, hedges behind their finding over both."""
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

    def _cue_matches(self) -> list[PhraseMatch]:
        """Return the cues of the lexicon in order, and each bare "not" that stands in no phrase."""
        cues = [match for match in self.matches if match.entry.negation or match.entry.hedge]
        covered = {
            index
            for match in self.matches
            if len(match.entry.flags) or match.entry.negation or match.entry.hedge
            for index in range(match.start, match.end)
            if match.end - match.start > 1 or match.entry.negation
        }
        for index, token in enumerate(self.tokens):
            if token.word in NOT_WORDS and index not in covered:
                cues.append(self._bare_denial(index))
        return sorted(cues, key=lambda match: match.start)

    def _bare_denial(self, index: int) -> PhraseMatch:
        """Return a bare "not" as a cue: back over the finding it reports ("was not clearly seen"), else onwards."""
        end = index + 1
        while end < len(self.tokens) and self.tokens[end].word in ADVERBS_AFTER_NOT:
            end += 1
        if end < len(self.tokens) and self.stems[end] in REPORTING_STEMS:
            start = index
            while start and self.tokens[start - 1].word in AUXILIARIES:
                start -= 1
            return PhraseMatch(start, end + 1, _NOT_SEEN)
        return PhraseMatch(index, index + 1, _NOT)

    def _negate(self, match: PhraseMatch) -> None:
        self.cues[match.start] = (match.end, Polarity.NEGATED)
        if match.entry.negation == "before":
            end = self.clause_end(match.end)
            self._set(match.end, min(end, self._aside_end(match)), Polarity.NEGATED)
            return
        if any(stem in EARLIER_STEMS for stem in self.stems[match.end : match.end + _EARLIER_REACH]):
            return  # "was not observed in the previous examination" denies nothing today
        start = self.clause_start(match.start)
        if self._has_words(start, match.start):
            self._set(start, match.start, Polarity.NEGATED)
            if match.end not in self._break_set:  # "… in either hemithorax"
                self._set(match.end, self.clause_end(match.end), Polarity.NEGATED)
        else:
            self._set(match.end, self.clause_end(match.end), Polarity.NEGATED)

    def _aside_end(self, match: PhraseMatch) -> int:
        """Return where what "not" sets aside between commas ends: "The liver, not the spleen, is enlarged"."""
        if match.start - 1 in self._break_set and self.tokens[match.start].word == "not":
            following = next((index for index in self.breaks if index > match.start), None)
            if following is not None and self.tokens[following].word == ",":
                if not any(match.start < verb < following for verb in self.verbs):
                    return following
        return len(self.tokens)

    def _has_words(self, start: int, end: int) -> bool:
        """Tell whether a token of ``[start, end)`` can be what a cue behind it acts on."""
        return any(
            self.tokens[index].word[0].isalnum() and self.tokens[index].word not in AUXILIARIES
            for index in range(start, end)
        )

    def _hedge(self, match: PhraseMatch) -> None:
        polarity = Polarity.ATTRIBUTED if match.entry.attributive else Polarity.UNCERTAIN
        self.cues[match.start] = (match.end, polarity)
        adverb = self.tokens[match.end - 1].word.endswith("ly")  # "is probably enlarged", unlike "is probable"
        if match.entry.hedge == "before" or adverb:
            self._set(match.end, self._hedge_end(match.end), polarity)
            return
        start = self.clause_start(match.start)
        if self._has_words(start, match.start):
            self._set(start, match.start, polarity)
        else:
            self._set(match.end, self._hedge_end(match.end), polarity)

    def _hedge_end(self, at: int) -> int:
        """Return where the scope of a hedge ends.

        It reaches over alternatives ("atelectasis or infiltrate") but not into the next item of a list.
        """
        for index in range(at, len(self.tokens)):
            if index in self.ends:
                return index
            if index in self._break_set and index > at and self.tokens[index].word not in HEDGE_EXTENDERS:
                return index
        return len(self.tokens)

    def _question_marks(self) -> None:
        """Put in doubt what stands before a question mark, or behind one that opens a segment."""
        for index, token in enumerate(self.tokens):
            if token.word != "?":
                continue
            start = max((b + 1 for b in self.breaks if b < index), default=0)
            start = max([start] + [mark + 1 for mark in range(start, index) if self.tokens[mark].word == "?"])
            if start == index and index + 1 < len(self.tokens):  # "?pneumonia"
                self._set(index + 1, self._hedge_end(index + 1), Polarity.UNCERTAIN)
            else:
                self._set(start, index, Polarity.UNCERTAIN)

    def _set(self, start: int, end: int, polarity: Polarity) -> None:
        for index in range(start, end):
            self.polarity[index] = polarity

    def _opens_clause(self, index: int, since: int) -> bool:
        """Tell whether the break at ``index`` begins a clause of its own rather than the next item of a list."""
        word = self.tokens[index].word
        if word in HARD_BREAKS:
            return word not in "()" or index > since
        following = index + 1
        if following >= len(self.tokens):
            return False
        if self.tokens[following].word in CLAUSE_OPENERS or following in self.cues or self._is_cue(following):
            return self.tokens[following].word in CLAUSE_OPENERS or word == ","
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
        """Tell whether a verb is followed by a quality of its own ("is enlarged"), not by a report of seeing."""
        return any(
            self.tokens[index].word[0].isalpha()
            and self.tokens[index].word not in VERBS
            and self.stems[index] not in REPORTING_STEMS
            for index in range(verb + 1, stop)
        )


@lru_cache(maxsize=20_000)
def _polarities(sentence: str) -> tuple[list[Token], list[Polarity]]:
    lexicon = load_lexicon()
    tokens = tokenize(sentence)
    stems = [lexicon.base(token) for token in tokens]
    return tokens, Scopes(tokens, stems, lexicon.matches(stems), [False] * len(tokens)).polarity


def assess(sentence: str, condition_start: int, condition_end: int) -> Literal["negated", "affirmed", "possible"]:
    """Tell how ``sentence`` means the words in ``sentence[condition_start:condition_end]``.

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
