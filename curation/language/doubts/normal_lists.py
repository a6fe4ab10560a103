"""Lists of organs that are called normal behind a denial: "No disc bulge, canal and foramina patent"."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..lexicon.lexicon import PhraseMatch
from ..tokens import Token
from ..word_lists import ARTICLES, PLACE_OPENERS, SIDES

_BEFORE_NAMES = frozenset((*ARTICLES, *SIDES, "both", "all", "visualized", "visualised", "remaining", "other"))
_LIST_MARKS = frozenset((",", "and", "&"))


class NormalLists:
    """Tells where a list of subjects begins whose predicate is a word of normality, so that a denial ends before it."""

    def __init__(
        self,
        tokens: Sequence[Token],
        breaks: Sequence[int],
        verbs: Sequence[int],
        subjects: frozenset[int],
        normal: Collection[int],
        matches: Sequence[PhraseMatch],
    ) -> None:
        self.tokens, self.breaks, self.verbs, self.subjects = tokens, breaks, verbs, subjects
        self.normal, self.matches = normal, matches

    def open_at(self, first: int, stop: int) -> bool:
        """Tell whether the item between two breaks, at ``first`` and ``stop``, is the first name of such a list."""
        while stop < len(self.tokens) and self.tokens[stop].word in _LIST_MARKS and self._is_name(first, stop):
            first = stop + 1 + any(token.word == "and" for token in self.tokens[stop + 1 : stop + 2])
            stop = next((at for at in self.breaks if at > first), len(self.tokens))
            if any(first < at < stop and self._opens_with_subject(first, at) for at in self.normal):
                return True
        return False

    def _is_name(self, first: int, stop: int) -> bool:
        """Tell whether an item can be no more than a name: it finds and denies nothing, and has no verb or place."""
        says = any(first <= match.start < stop and (is_finding(match) or is_cue(match)) for match in self.matches)
        return not says and not any(
            index in self.verbs or self.tokens[index].word in PLACE_OPENERS for index in range(first, stop)
        )

    def _opens_with_subject(self, first: int, stop: int) -> bool:
        while first < stop and self.tokens[first].word in _BEFORE_NAMES:
            first += 1
        return first in self.subjects


def is_finding(match: PhraseMatch) -> bool:
    """Tell whether a phrase is a finding."""
    entry = match.entry
    return not (entry.modifier or is_cue(match) or entry.flags - {"finding", "implied_organ"})


def is_cue(match: PhraseMatch) -> bool:
    """Tell whether a phrase is a cue of denial or doubt."""
    return match.entry.negation is not None or match.entry.hedge is not None
