"""Whether a statement affirms, denies or only suspects what it names: polarities by cues and their scopes.

Cues from the lexicon act on the words before or behind them, up to the end of their clause (``cue_reach.py``). The
idea of trigger phrases with a direction and a scope is that of NegEx and ConText (Chapman et al. 2001, Harkema et al.
2009); the clause rules are our own: radiology denies more often behind the finding ("effusion was not observed").
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Literal

from curation.runtime.limits import HEDGES_OF_STATEMENT

from .cue_reach import CueReach
from .doubt_and_past_words import (
    CONTRASTS,
    EXCLUSION_STEMS,
    GOVERNING_WORDS,
    PREPOSITIONS_BEHIND_AN_OPINION,
    REASON_NOUNS,
    WORDS_BEFORE_AN_OBJECT,
    WORDS_OF_THE_PAST,
)
from .doubts.advice import advises
from .doubts.brackets import questioned, remark_start, rival_start
from .doubts.clause_marks import denies_of_several
from .doubts.double_denials import double_denials
from .doubts.plans import planned
from .lexicon.lexicon import LexiconEntry, PhraseMatch, load_lexicon
from .lexicon.lexicon_file import HedgeStrength
from .numbers.measurements import Measure, find_measures
from .past import earlier_reports, histories, is_of_earlier_day, relative_pasts
from .tokens import Token, tokenize
from .word_lists import (
    ADVERBS_AFTER_NOT,
    AUXILIARIES,
    FUNCTION_WORDS,
    NOT_WORDS,
    POSITION_STEMS,
    REPORTING_STEMS,
    SIDES,
)


class Polarity(IntEnum):
    """How a word is meant.

    ``ATTRIBUTED``: it is stated through an opinion ("consistent with a cyst"); ``ALTERNATIVE``: it or another is there
    ("a cyst or a hemangioma"); ``EARLIER``: it is reported of an earlier day alone.
    """

    AFFIRMED = 0
    NEGATED = 1
    UNCERTAIN = 2
    ATTRIBUTED = 3
    PROBABLE = 4
    UNLIKELY = 5
    ALTERNATIVE = 6
    EARLIER = 7


_OF_STRENGTH: dict[HedgeStrength, Polarity] = {
    "attributive": Polarity.ATTRIBUTED,
    "probable": Polarity.PROBABLE,
    "uncertain": Polarity.UNCERTAIN,
    "unlikely": Polarity.UNLIKELY,
}
# From the least to the most doubtful.
_DOUBTS = tuple(_OF_STRENGTH.values())
# What is meant in one way may be said in these others: doubt may grow, and never shrink.
_MAY_BE_SAID = {
    Polarity.ATTRIBUTED: {Polarity.PROBABLE, Polarity.UNCERTAIN},
    Polarity.PROBABLE: {Polarity.ATTRIBUTED, Polarity.UNCERTAIN},
}
_NOT = LexiconEntry(key="not", negation="before")
_PREFIXES = ("non", "-")
_POSITION_AND_REPORTING_STEMS = POSITION_STEMS | REPORTING_STEMS
_NON = LexiconEntry(key="non", negation="before")
_NOT_SEEN = LexiconEntry(key="not seen", negation="after")


def may_be_said(claim: Polarity, meant: Collection[Polarity]) -> bool:
    """Tell whether what is ``meant`` in one of several ways may be said as in ``claim``.

    What is "likely a cyst" may be called "consistent with a cyst" or "possibly a cyst", but not "a cyst".
    """
    return claim in meant or any(claim in _MAY_BE_SAID.get(polarity, ()) for polarity in meant)


class Scopes:
    """Finds the polarity that the cues of one tokenised statement give to each token.

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
        measures: Sequence[Measure] = (),
        named: frozenset[int] = frozenset(),
        facts: frozenset[int] = frozenset(),
    ) -> None:
        """Work out the polarities.

        ``covered`` marks tokens inside a name or phrase, where "and" or "," is no break; ``subjects`` are the token
        indices at which an organ mention begins, ``named`` all of which they consist; ``facts`` those of operations
        and devices, on which there are no opinions.
        """
        self.tokens, self.stems, self.matches = tokens, stems, matches
        self._facts, self._named = facts, named
        self._reach = CueReach(tokens, stems, matches, covered, subjects, measures)
        self.breaks = self._reach.breaks
        self.polarity = [Polarity.AFFIRMED] * len(tokens)
        self.cues: dict[int, tuple[int, Polarity]] = {}
        self._apply()

    def _apply(self) -> None:
        """Let each cue act on its scope: hedges first, denials over them, "cannot be excluded" over both."""
        cues = self._cue_matches()
        hedges = [match for match in cues if match.entry.hedge]
        for match in hedges[: HEDGES_OF_STATEMENT.most]:
            self._hedge(match)
        if len(hedges) > HEDGES_OF_STATEMENT.most:
            self._doubt(hedges[HEDGES_OF_STATEMENT.most].start, len(self.tokens), Polarity.UNCERTAIN)
        for match in [match for match in cues if not match.entry.hedge]:
            self._negate(match)
        for match in double_denials(self.tokens, cues):  # "not without abnormality"
            self._set(match.end, self._reach.clause_end(match.end), Polarity.UNCERTAIN)
        for match in cues:
            if match.entry.hedge == "after" and not EXCLUSION_STEMS.isdisjoint(self.stems[match.start : match.end]):
                self._hedge(match)
        for start, end in questioned(self.tokens, self._reach):
            self._doubt(start, end, Polarity.UNCERTAIN)
        for index in planned(self.tokens, self._facts):
            self._doubt(index, index + 1, Polarity.UNCERTAIN)
        reports = earlier_reports(self.tokens, self.stems, self._reach.measures, self.breaks)
        for start, end in [*reports, *relative_pasts(self.tokens, self.breaks)]:
            self._set(start, end, Polarity.EARLIER)
        for start, end in histories(self.tokens, self.matches, self.breaks, self._facts):
            for index in range(start, end):
                if self.polarity[index] == Polarity.AFFIRMED:  # "no history of lymphoma" denies it
                    self.polarity[index] = Polarity.EARLIER

    def _cue_matches(self) -> list[PhraseMatch]:
        """Return the cues of the lexicon in order, and each bare "not" or "non" that stands in no phrase."""
        cues = [match for match in self.matches if match.entry.negation or match.entry.hedge]
        if NOT_WORDS.isdisjoint(words := [token.word for token in self.tokens]) and "non" not in words:
            return cues
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
            if token.word == "non" and not any(match.start <= index < match.end for match in self.matches):
                cues.append(PhraseMatch(index, index + 1, _NON))
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
        reach = self._reach
        end = reach.clause_end(match.end)
        if match.entry is _NON:
            end = match.end + 1 + any(token.word == "-" for token in self.tokens[match.end : match.end + 1])
        is_behind = match.entry.modifier == "time" and not reach.has_words(match.end, end)  # "pneumonia, resolved"
        if (match.entry.negation == "before" or denies_of_several(self.tokens, match)) and not is_behind:
            self._set(match.end, min(end, self._aside_end(match)), Polarity.NEGATED)
            return
        if is_of_earlier_day(self.tokens, self.stems, reach.measures, match.end, self._facts):
            return  # "was not observed in the previous examination" denies nothing today
        start = reach.clause_start(match.start)
        if is_behind and not reach.has_words(start, match.start):  # "…, and is now gone"
            start = reach.clause_start(max(start - 1, 0))
        if reach.has_words(start, match.start):
            self._set(start, match.start, Polarity.NEGATED)
            if not reach.is_break(match.end):  # "… in either hemithorax"
                self._set(match.end, reach.clause_end(match.end), Polarity.NEGATED)
        else:
            self._set(match.end, reach.clause_end(match.end), Polarity.NEGATED)

    def _aside_end(self, match: PhraseMatch) -> int:
        """Return where what "not" sets aside between commas ends: "The liver, not the spleen, is enlarged"."""
        if self._reach.is_break(match.start - 1) and self.tokens[match.start].word == "not":
            following = self._reach.next_break(match.end)
            if following < len(self.tokens) and self.tokens[following].word == ",":
                if not any(match.start < verb < following for verb in self._reach.verbs):
                    return following
        return len(self.tokens)

    def _hedge(self, match: PhraseMatch) -> None:
        """Put in doubt what a hedge stands before or, where it stands behind its finding, what it stands behind."""
        assert match.entry.strength is not None
        polarity = _OF_STRENGTH[match.entry.strength]
        self.cues[match.start] = (match.end, polarity)
        words = {token.word for token in self.tokens[match.start : match.end]}
        if advises(self.tokens, self.breaks, match.start, match.end):
            return
        if polarity == Polarity.ATTRIBUTED and words.isdisjoint(REASON_NOUNS) and self._tells_a_fact(match.end):
            return  # but "likely secondary to a splenectomy" is an opinion on the reason
        reach, last = self._reach, self.tokens[match.end - 1].word
        if (bracket := remark_start(self.tokens, match)) is not None:  # "small cyst (probably) in the liver"
            self._doubt(reach.hedge_start(bracket), bracket, polarity)
            return
        if (rival := rival_start(self.tokens, self.matches, match)) is not None:  # "adenoma (DD metastasis)"
            self._doubt(reach.hedge_start(rival), rival, polarity)
        following = self.tokens[match.end].word if match.end < len(self.tokens) else ""
        at = match.end + (following == ":")  # "Differential: cyst or abscess"
        end = reach.hedge_end(at, governs=last in GOVERNING_WORDS or match.entry.hedge == "after")
        if last in CONTRASTS:
            before = Polarity.PROBABLE if polarity == Polarity.UNLIKELY else Polarity.UNCERTAIN
            self._doubt(reach.contrast_start(match.start), match.start, before)
        if self._acts_onwards(match, following) and reach.has_words(at, end):
            self._doubt(at, end, polarity)
            return
        stop = match.start - reach.is_break(match.start - 1)  # "hepatic cyst, likely"
        start = reach.hedge_start(stop)
        if reach.has_words(start, stop):
            self._doubt(start, stop, polarity)
        else:
            self._doubt(at, end, polarity)

    def _tells_a_fact(self, at: int) -> bool:
        """Tell whether an opinion is about no finding, but an operation or a device: "compatible with a bypass"."""
        scope = range(at, self._reach.hedge_end(at, governs=True))
        return any(index in self._facts for index in scope) and all(
            index in self._facts
            or index in self._named
            or self.tokens[index].word in FUNCTION_WORDS
            or self.tokens[index].word in SIDES
            or self.tokens[index].word in WORDS_OF_THE_PAST
            or self.stems[index] in _POSITION_AND_REPORTING_STEMS
            for index in scope
            if self.tokens[index].word[0].isalnum()
        )

    def _acts_onwards(self, match: PhraseMatch, following: str) -> bool:
        """Tell whether a hedge acts on what follows it: "is likely a cyst", unlike "a cyst is likely"."""
        if match.entry.hedge == "before" or following in WORDS_BEFORE_AN_OBJECT:
            return True
        if match.start and self.tokens[match.start - 1].word == "there":  # "in the liver there are possible cysts"
            return True
        is_adverb = self.tokens[match.end - 1].word.endswith("ly")
        return is_adverb and following not in PREPOSITIONS_BEHIND_AN_OPINION

    def _doubt(self, start: int, end: int, polarity: Polarity) -> None:
        """Put tokens in doubt, where they are not in greater doubt already: "may be consistent with"."""
        for index in range(start, end):
            present = self.polarity[index]
            if present not in _DOUBTS or _DOUBTS.index(present) < _DOUBTS.index(polarity):
                self.polarity[index] = polarity

    def _set(self, start: int, end: int, polarity: Polarity) -> None:
        self.polarity[start:end] = [polarity] * (end - start)


@lru_cache(maxsize=20_000)
def _polarities(sentence: str) -> tuple[list[Token], list[Polarity]]:
    lexicon = load_lexicon()
    tokens = lexicon.with_prefixes_apart(tokenize(sentence))
    stems = [lexicon.base(token) for token in tokens]
    measures = find_measures(tokens, lexicon.numbers)
    scopes = Scopes(tokens, stems, lexicon.matches(stems), [False] * len(tokens), measures=measures)
    return tokens, scopes.polarity


def assess(sentence: str, condition_start: int, condition_end: int) -> Literal["negated", "affirmed", "possible"]:
    """Tell how ``sentence`` means the words in ``sentence[condition_start:condition_end]``.

    A condition counts as possible or negated as soon as one of its words is.
    """
    tokens, polarities = _polarities(sentence)
    marked = [at for at, token in enumerate(tokens) if token.start < condition_end and token.end > condition_start]
    inside = {polarities[at] for at in marked if not (at - 1 in marked and tokens[at - 1].word in _PREFIXES)}
    if inside & {Polarity.UNCERTAIN, Polarity.PROBABLE, Polarity.UNLIKELY}:
        return "possible"
    return "negated" if Polarity.NEGATED in inside else "affirmed"
