"""Denials of a denial: "not without abnormality" denies no abnormality, nor does "no lack of enhancement" deny any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..lexicon.lexicon import PhraseMatch
from ..tokens import Token
from ..word_lists import DENIALS

_BETWEEN = frozenset("a an the any entirely completely fully quite totally wholly".split())


def double_denials(tokens: Sequence[Token], cues: Sequence[PhraseMatch]) -> Iterator[PhraseMatch]:
    """Yield the cues that deny what follows and are themselves denied right before."""
    denying = {cue.end for cue in cues if cue.entry.negation == "before"}
    for cue in cues:
        if cue.entry.negation != "before" or tokens[cue.start].word in ("non", "no", "not"):
            continue
        at = cue.start
        while at and tokens[at - 1].word in _BETWEEN and at not in denying:
            at -= 1
        if at in denying or (at and tokens[at - 1].word in DENIALS):
            yield cue
