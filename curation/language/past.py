"""What a statement says of an earlier day, and which words of the past say nothing more.

"The CT of 2018 showed a cyst" reports nothing of today. "Compared to the previous examination" and "since the prior
CT" say the same. What an operation leaves to be said is in ``time/implied_past.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from .doubt_and_past_words import (
    OPERATION_WORD_ENDINGS,
    PAST_AUXILIARIES,
    PAST_VERBS_OF_SHOWING,
    PRESENT_VERBS,
    WORDS_BEFORE_A_DATE,
    WORDS_BEFORE_AN_EXAMINATION,
    WORDS_OF_COMPARISON,
)
from .lexicon.lexicon import LexiconEntry, PhraseMatch
from .numbers.measurements import Measure
from .tokens import Token
from .word_lists import (
    ARTICLES,
    EARLIER_EXAMINATION_STEMS,
    EARLIER_STEMS,
    EXAMINATION_STEMS,
    PRESENT_TIME,
    REPORTING_STEMS,
    SENTENCE_BREAKS,
)

COMPARISON = LexiconEntry(key="comparison", flags={"history"})
"""The meaning of "compared to the previous examination" and of its like."""
_LONGEST_NAME = 4
"""Tokens within which the word for an examination follows the word that makes it an earlier one, or its date."""
_EARLIER_REACH = 5
"""Tokens behind "was not seen" within which "previous" or a date makes it a denial of another day."""


@lru_cache(maxsize=50_000)
def is_operation_word(word: str) -> bool:
    """Tell whether a word names an operation by its ending."""
    return word.endswith(OPERATION_WORD_ENDINGS)


def operations(tokens: Sequence[Token], matches: Sequence[PhraseMatch]) -> frozenset[int]:
    """Return the indices of tokens that name an operation, a treatment or what it leaves: "clips", "bypass"."""
    indices = {index for index, token in enumerate(tokens) if is_operation_word(token.word)}
    for match in matches:
        if "operation" in match.entry.flags or ("absent_organ" in match.entry.flags and match.entry.organ):
            indices.update(range(match.start, match.end))
    return frozenset(indices)


def comparisons(tokens: Sequence[Token], stems: Sequence[str]) -> list[tuple[int, int]]:
    """Return the token ranges that only compare with an earlier examination: "since the prior CT"."""
    ranges = []
    if EARLIER_EXAMINATION_STEMS.isdisjoint(stems):
        return []
    bare = [(at, at + 1) for at, stem in enumerate(stems) if _is_bare(tokens, at) and stem in EARLIER_EXAMINATION_STEMS]
    for name_start, name_end in [*_earlier_examinations(tokens, stems, ()), *bare]:
        start = _reference_start(tokens, name_start)
        if start is not None:
            ranges.append((start, name_end))
    return ranges


def earlier_reports(
    tokens: Sequence[Token],
    stems: Sequence[str],
    measures: Sequence[Measure],
    breaks: Sequence[int],
) -> list[tuple[int, int]]:
    """Return the token ranges that report an earlier day alone: of "the prior CT showed a cyst" the cyst.

    A clause is one of an earlier day where its examination is the subject of a verb of showing in the past, or where
    it was seen "on" that examination and no verb is in the present.
    """
    ranges = []
    days = [(measure.start, measure.end) for measure in measures if measure.kind == "date"]
    for name_start, name_end in [*_earlier_examinations(tokens, stems, measures), *days]:
        first = max((b + 1 for b in breaks if b < name_start and tokens[b].word != "/"), default=0)
        last = next((b for b in breaks if b >= name_end), len(tokens))
        shown = next((i for i in range(name_end, last) if tokens[i].word in PAST_VERBS_OF_SHOWING), None)
        before = tokens[name_start - 1].word if name_start > first else ""
        if shown is not None and before not in WORDS_BEFORE_AN_EXAMINATION:
            ranges.append((shown + 1, len(tokens) if last == len(tokens) else _list_end(tokens, breaks, last)))
        elif before in ("on", "in", "at", "by") and _is_told_in_the_past(tokens, stems, first):
            ranges += [(first, name_start - 1), (name_end, last)]
    return ranges


def relative_pasts(tokens: Sequence[Token], breaks: Sequence[int]) -> list[tuple[int, int]]:
    """Return the token ranges of what was so until now: of "the vein, which was occluded, is now patent" the first."""
    ranges = []
    for at, following in pairwise(breaks):
        words = [token.word for token in tokens[at + 1 : at + 3]]
        behind = [token.word for token in tokens[following + 1 : following + 1 + _LONGEST_NAME]]
        is_relative = tokens[at].word == "," and words[:1] in (["which"], ["previously"], ["formerly"], ["initially"])
        if is_relative and words[1:] and (words[1] in PAST_AUXILIARIES if words[0] == "which" else words[1].isalpha()):
            if not PRESENT_TIME.isdisjoint(behind) or behind[1:3] == ["no", "longer"]:
                ranges.append((at + 1, following))
    return ranges


def is_of_earlier_day(
    tokens: Sequence[Token], stems: Sequence[str], measures: Sequence[Measure], start: int, facts: frozenset[int]
) -> bool:
    """Tell whether what is denied before token ``start`` is so of an earlier day: "not seen previously", "in 2019".

    ``facts`` are tokens of operations, before which "prior" says nothing of a day.
    """
    end = min(start + _EARLIER_REACH, len(tokens))
    if any(stems[at] in EARLIER_STEMS and at + 1 not in facts for at in range(start, end)):
        return True
    if tokens[start : start + 1] and tokens[start].word == "before":
        return start + 1 == len(tokens) or not tokens[start + 1].word.isalpha()
    days = {measure.start for measure in measures if measure.kind == "date" and start < measure.start <= end}
    between = (tokens[start:day] for day in days)
    return any(passage[0].word in ("in", "on") and _only_names_examination(passage) for passage in between)


def _only_names_examination(passage: Sequence[Token]) -> bool:
    words = WORDS_BEFORE_A_DATE | ARTICLES | {"in"}
    return all(token.word in words or token.stem in EXAMINATION_STEMS for token in passage)


def histories(
    tokens: Sequence[Token], matches: Sequence[PhraseMatch], breaks: Sequence[int], facts: frozenset[int]
) -> list[tuple[int, int]]:
    """Return the token ranges of what is told as history and no operation: "history of lymphoma"."""
    ranges = []
    for match in matches:
        if match.end - match.start < 2:
            continue
        words = {token.word for token in tokens[match.start : match.end]}
        if "of" in words and words & {"history", "hx"}:
            end = next((b for b in breaks if b >= match.end), len(tokens))
            if not facts.intersection(range(match.end, end)):
                ranges.append((match.end, end))
    return ranges


def _earlier_examinations(
    tokens: Sequence[Token], stems: Sequence[str], measures: Sequence[Measure]
) -> list[tuple[int, int]]:
    """Return the names of earlier examinations, without an article: "prior chest CT", "CT of 2018"."""
    if EXAMINATION_STEMS.isdisjoint(stems):
        return []
    dates = {measure.start: measure.end for measure in measures if measure.kind == "date"}
    names = []
    for index, stem in enumerate(stems):
        if stem not in EXAMINATION_STEMS:
            continue
        adjective = next(
            (
                at
                for at in range(index - 1, max(-1, index - _LONGEST_NAME), -1)
                if stems[at] in EARLIER_EXAMINATION_STEMS
            ),
            None,
        )
        following = next((at for at in range(index + 1, min(len(tokens), index + _LONGEST_NAME)) if at in dates), None)
        if adjective is not None and all(tokens[at].word.isalpha() for at in range(adjective, index)):
            start = adjective - (tokens[adjective - 1].word in ARTICLES and adjective > 0)
            names.append((start, index + 1))
        elif following is not None and all(
            tokens[at].word in WORDS_BEFORE_A_DATE for at in range(index + 1, following)
        ):
            start = index - (tokens[index - 1].word in ARTICLES and index > 0)
            names.append((start, dates[following]))
    return names


def _is_bare(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether no noun follows an adjective: "unchanged from prior."."""
    return at + 1 == len(tokens) or not tokens[at + 1].word[0].isalpha()


def _reference_start(tokens: Sequence[Token], name_start: int) -> int | None:
    """Return where "compared to" or "since" before the name of an examination begins; None where none stands there."""
    at = name_start - 1
    while at >= 0 and tokens[at].word in ("to", "with", "on", "in", "the", "a", "his", "her"):
        at -= 1
    if at < 0 or tokens[at].word not in WORDS_OF_COMPARISON:
        return None
    while at and tokens[at - 1].word in ("as", "when", "in"):
        at -= 1
    return at


def _is_told_in_the_past(tokens: Sequence[Token], stems: Sequence[str], first: int) -> bool:
    """Tell whether the sentence from ``first`` on reports what was there, and has no verb in the present."""
    end = next((at for at in range(first, len(tokens)) if tokens[at].word in SENTENCE_BREAKS), len(tokens))
    words = {tokens[at].word for at in range(first, end)}
    reports = any(stems[at] in REPORTING_STEMS for at in range(first, end)) or "there" in words
    return bool(words & PAST_AUXILIARIES) and reports and not words & (PRESENT_VERBS | {"not", "no"})


def _list_end(tokens: Sequence[Token], breaks: Sequence[int], at: int) -> int:
    """Return where a list that reaches to the break ``at`` ends: at a comma that no "and" follows, or a full stop."""
    for index in breaks:
        if index >= at and tokens[index].word not in ("and", "or", "/"):
            return index
    return len(tokens)
