"""How far a cue of denial or doubt acts: where its clause ends, and what stands beside it for itself.

"No mass, cyst or stone" is one list. In "No stone, 5 mm cyst in the left kidney" a finding of its own follows: it has a
size, a grade or a verb that nobody denies. A statement is read by its breaks (commas, conjunctions and marks outside of
names and phrases), verbs, measures and the phrases of the lexicon.
"""

from __future__ import annotations

from collections.abc import Sequence

from .doubt_and_past_words import LINKING_WORDS, REASON_NOUNS, REASON_OPENERS, REASON_PREPOSITIONS
from .doubts.clause_marks import (
    MEASURES_OF_FINDINGS,
    OF_WHAT_IS_THERE,
    OF_WHAT_IS_THERE_AT_A_PLACE,
    PREDICATE_ENDINGS,
    is_dash_behind_not,
)
from .doubts.examination_words import JUDGEMENT_STEMS
from .doubts.normal_lists import NormalLists, is_cue, is_finding
from .lexicon.lexicon import PhraseMatch
from .numbers.measurements import Measure
from .tokens import Token
from .word_lists import (
    ACCOMPANIMENTS,
    ARTICLES,
    AUXILIARIES,
    CHANGE_STEMS,
    CLAUSE_OPENERS,
    COORDINATORS,
    HARD_BREAKS,
    HEDGE_EXTENDERS,
    PLACE_OPENERS,
    PREPOSITIONS_AFTER_CHANGE,
    REPORTING_STEMS,
    SIDES,
    SOFT_BREAKS,
    VERBS,
)

_BREAKS = HARD_BREAKS | SOFT_BREAKS


class CueReach:
    """Finds the reach of cues in one tokenised statement. ``breaks`` are the tokens at which its segments end."""

    def __init__(
        self,
        tokens: Sequence[Token],
        stems: Sequence[str],
        matches: Sequence[PhraseMatch],
        covered: Sequence[bool],
        subjects: frozenset[int],
        measures: Sequence[Measure],
    ) -> None:
        self.tokens, self.stems, self.subjects, self.measures = tokens, stems, subjects, measures
        self.breaks = [index for index, token in enumerate(tokens) if token.word in _BREAKS and not covered[index]]
        self.verbs = [index for index, token in enumerate(tokens) if token.word in VERBS]
        self.ends = {m.start for m in matches if "scope_end" in m.entry.flags and not is_cue(m)}
        self._matches = matches
        self.normal = {m.start for m in matches if "normality" in m.entry.flags and m.entry.negation is None}
        self.cue_starts = {m.start for m in matches if m.entry.negation == "before"}
        self._after_cues = [m.start for m in matches if "after" in (m.entry.negation, m.entry.hedge)]
        self._hedge_starts = {m.start for m in matches if m.entry.hedge}
        self._grades = {m.start: m.entry.key for m in matches if m.entry.modifier}
        self._break_set = set(self.breaks)
        self._normal_lists = NormalLists(tokens, self.breaks, self.verbs, subjects, self.normal, matches)

    def is_break(self, index: int) -> bool:
        """Tell whether a segment ends at ``index``."""
        return index in self._break_set

    def next_break(self, at: int) -> int:
        """Return the index of the first break at or behind ``at``, or the end of the statement."""
        return next((index for index in self.breaks if index >= at), len(self.tokens))

    def clause_end(self, at: int) -> int:
        """Return the index behind the last token of the clause that a cue ending at ``at`` denies."""
        for index in range(at, len(self.tokens)):
            if index in self.ends:
                return index
            if index in self._break_set and self._opens_clause(index, at):
                return index
            if is_dash_behind_not(self.tokens, index, at):
                return index
            if self.stems[index] in CHANGE_STEMS and index + 1 < len(self.tokens):
                if self.tokens[index + 1].word in PREPOSITIONS_AFTER_CHANGE:
                    return index + 1
        return len(self.tokens)

    def clause_start(self, at: int, over_reasons: bool = False) -> int:
        """Return the index of the first token of the clause that a cue starting at ``at`` denies, looking back.

        ``over_reasons``: it acts also on what stands before a reason, the subject that the reason belongs to.
        """
        for index in range(at - 1, -1, -1):
            if index in self.ends and not (over_reasons and self.tokens[index].word in REASON_NOUNS):
                return index + 1
            if self.tokens[index].word in ACCOMPANIMENTS and (
                index == at - 1 or min(self.normal, default=index) < index
            ):
                return index + 1  # "Liver normal with splenomegaly absent", "neck dissection with absent jugular vein"
            if index not in self._break_set:
                continue
            if self.tokens[index].word in HARD_BREAKS and self.tokens[index].word not in "()":
                return index + 1
            before = max((b for b in self.breaks if b < index and self.tokens[b].word in HARD_BREAKS), default=-1)
            if any(before < predicate < index for predicate in (*self.verbs, *self.normal)):
                return index + 1
            if self._is_comma_of_no_list(index, at) and self._has_own_mark(self._item_start(index), index, before + 1):
                return index + 1
        return 0

    def hedge_end(self, at: int, governs: bool) -> int:
        """Return where the scope of a hedge that ends at ``at`` ends.

        It reaches over alternatives ("atelectasis or infiltrate"). One that ``governs`` what follows ("suspicious for")
        reaches over the other items of a list too, as far as they do not stand for themselves.
        """
        for index in range(at, len(self.tokens)):
            if (index in self.ends or self.tokens[index].word in REASON_OPENERS) and self.has_words(at, index):
                return index
            if index in self._break_set and index > at and self.tokens[index].word not in HEDGE_EXTENDERS:
                if not (governs and self._lists_on(index, at)):
                    return index
        return len(self.tokens)

    def hedge_start(self, at: int) -> int:
        """Return the first token that a hedge behind its finding doubts: "Nodule in the lung, malignancy possible"."""
        start = self.clause_start(at, over_reasons=True)  # "stranding due to surgery cannot be excluded"
        for index in range(at - 1, start - 1, -1):
            if index in self._break_set and self._is_comma_of_no_list(index, at):
                first = self._item_start(index)
                is_denied = any(first <= cue < index for cue in self.cue_starts)
                is_measured = any(first <= measure.start < index for measure in self.measures)
                if is_denied or is_measured or self._has_site(first, index) or self._has_own_mark(first, index, index):
                    return index + 1
        return start

    def contrast_start(self, at: int) -> int:
        """Return the first token of what stands before a "versus" at ``at`` and is in doubt with what follows."""
        for index in range(at - 1, -1, -1):
            word = self.tokens[index].word
            if index in self._break_set and word not in HEDGE_EXTENDERS - {"("}:
                return index + 1
            if index in self.ends or word in VERBS or word in REASON_PREPOSITIONS or index in self._hedge_starts:
                return index + 1
        return 0

    def has_words(self, start: int, end: int) -> bool:
        """Tell whether a token of ``[start, end)`` can be what a cue acts on."""
        return any(
            self.tokens[index].word[0].isalnum() and self.tokens[index].word not in LINKING_WORDS
            for index in range(start, end)
        )

    def _item_start(self, index: int) -> int:
        """Return the first token of the segment that the break at ``index`` ends."""
        return max((b + 1 for b in self.breaks if b < index), default=0)

    def _is_comma_of_no_list(self, index: int, at: int) -> bool:
        """Tell whether the break at ``index`` is a comma, and no "and" or "or" closes a list between it and ``at``."""
        joins = any(index < b < at and self.tokens[b].word in (*COORDINATORS, "nor") for b in self.breaks)
        return self.tokens[index].word == "," and not joins

    def _opens_clause(self, index: int, since: int) -> bool:
        """Tell whether the break at ``index`` begins a clause of its own rather than the next item of a list."""
        word = self.tokens[index].word
        if word in HARD_BREAKS:
            return word not in "()" or index > since
        following = index + 1
        if following >= len(self.tokens):
            return False
        if self.tokens[following].word in CLAUSE_OPENERS or following in self.cue_starts | self._hedge_starts:
            return self.tokens[following].word in CLAUSE_OPENERS or word == ","
        stop = self.next_break(following + 1)
        if self._stands_for_itself(index, stop, since) or self._is_behind_predicate(index, following, since):
            return True
        verb = next((v for v in self.verbs if following <= v < stop), None)
        if verb is None:
            return False
        if any(since <= v < index for v in self.verbs) or self.stems[following] in JUDGEMENT_STEMS:
            return True
        if any(following <= at < stop for at in self.normal):
            return True
        if word == "," and self.tokens[following].word in ("the", "its") and self._predicates(verb, stop):
            return True  # "is not large, (the surface is uneven)"
        following += self.tokens[following].word in ARTICLES
        return following in self.subjects and self._predicates(verb, stop)

    def _stands_for_itself(self, index: int, stop: int, since: int) -> bool:
        """Tell whether the item between the breaks ``index`` and ``stop`` is stated for itself behind a denial.

        It has a size, a grade or a cue that the denial, which acts from ``since``, does not share. In a list that "or"
        closes it is denied with the others.
        """
        if self._is_alternative(stop) or not self.has_words(since, index):
            return False
        word, first = self.tokens[index].word, index + 1
        if word == "," and (
            any(first < cue < stop for cue in self._after_cues) or self._normal_lists.open_at(first, stop)
        ):
            return True
        if word == "," and (any(first <= at < stop for at in self.normal) or self._tells_of_organ(first, stop, since)):
            return True
        return word in (",", "and") and self._has_own_mark(first, stop, since)

    def _tells_of_organ(self, first: int, stop: int, since: int) -> bool:
        """Tell whether an item names an organ and ends in an adjective: "no pneumothorax, (lungs emphysematous)".

        Behind a finding it is a clause without its verb, since what is denied would be named by a noun.
        """
        denies_finding = any(since <= m.start < first - 1 and is_finding(m) for m in self._matches)
        if not denies_finding or first not in self.subjects:
            return False
        words = [token.word for token in self.tokens[first:stop]]
        ends = next((at for at, word in enumerate(words) if word in PLACE_OPENERS), len(words))  # "… on the right"
        return ends > 1 and words[ends - 1].endswith(PREDICATE_ENDINGS) and first + ends - 1 not in self.subjects

    def _is_behind_predicate(self, index: int, following: int, since: int) -> bool:
        """Tell whether a comma ends what "not" denies of a subject: "heart not enlarged, (coronary calcification)"."""
        is_of_subject = since > 1 and self.tokens[since - 1].word == "not" and self.tokens[index].word == ","
        if not is_of_subject or following not in self.subjects or self._is_alternative(following):
            return False
        is_adjective = self.tokens[index - 1].word.endswith(PREDICATE_ENDINGS)
        return is_adjective and not any(since <= at < index for at in self.subjects)

    def _is_alternative(self, stop: int) -> bool:
        """Tell whether a list that reaches to the break ``stop`` is closed by "or" or "nor"."""
        for index in self.breaks:
            if index >= stop:
                if self.tokens[index].word in HARD_BREAKS:
                    return False
                if self.tokens[index].word in ("or", "nor"):
                    return True
        return False

    def _has_own_mark(self, first: int, stop: int, since: int) -> bool:
        """Tell whether an item has a size, number, grade or report of its own that ``[since, first)`` does not have."""
        if any(
            self.tokens[index].word == "noted" and self.tokens[index - 1].word in AUXILIARIES
            for index in range(first + 1, stop)
        ):
            return True
        shared = {self._grades[index] for index in range(since, first) if index in self._grades}
        for index in range(first, stop):
            key = self._grades.get(index, "")
            if key and key not in shared and self._names_something(index + 1, stop):
                if key in OF_WHAT_IS_THERE:
                    return True
                if key.startswith(OF_WHAT_IS_THERE_AT_A_PLACE) and self._has_site(first, stop):
                    return True
        return any(
            first <= measure.start < stop
            and measure.kind in MEASURES_OF_FINDINGS
            and not measure.bound
            and (measure.kind != "number" or measure.end not in self.subjects)  # "segments 2, 3 and 4"
            and self._names_something(measure.end, stop)
            for measure in self.measures
        )

    def _names_something(self, start: int, stop: int) -> bool:
        return any(
            self.tokens[index].word[0].isalpha()
            and self.tokens[index].word not in LINKING_WORDS
            and index not in self._grades
            for index in range(start, stop)
        )

    def _has_site(self, first: int, stop: int) -> bool:
        return any(index in self.subjects or self.tokens[index].word in SIDES for index in range(first, stop))

    def _lists_on(self, index: int, since: int) -> bool:
        """Tell whether the break at ``index`` leads to a further item of what a hedge acting from ``since`` governs."""
        word, following = self.tokens[index].word, index + 1
        if word not in (",", "and") or following >= len(self.tokens):
            return False
        if following in self._break_set:  # ", and": the last of three, or a clause of its own
            return any(since < b < index for b in self.breaks)
        stop = self.next_break(following + 1)
        if self.tokens[following].word in CLAUSE_OPENERS or following in self.cue_starts | self._hedge_starts:
            return False
        if any(following <= at < stop for at in (*self.verbs, *self.normal)) or any(
            following <= at < stop for at in (*self.ends, *self._after_cues)
        ):
            return False
        if self._has_own_mark(following, stop, since):
            return False
        closing = stop if stop < len(self.tokens) else None
        return word == "and" or (closing is not None and self.tokens[closing].word in (*COORDINATORS, ","))

    def _predicates(self, verb: int, stop: int) -> bool:
        """Tell whether a verb is followed by a quality of its own ("is enlarged"), not by a report of seeing."""
        return any(
            self.tokens[index].word[0].isalpha()
            and self.tokens[index].word not in VERBS
            and self.stems[index] not in REPORTING_STEMS
            for index in range(verb + 1, stop)
        )
