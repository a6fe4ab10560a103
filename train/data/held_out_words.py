"""Which synonyms and groups a hold-out keeps from training, by the words alone: the same for every run.

Words of a left and a right organ are held out together, and so is a group's name that differs from a held-out synonym
in nothing but a side or a plural.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from train.config.prompting import THIRDS, HoldOut

# The side in an abbreviation: "LK", "RUL".
SIDE_INITIAL = re.compile(r"\b[LR](?=[A-Z])")
SIDES = frozenset({"left", "right", "lt", "rt", "l", "r"})


def select_held_out(synonyms: Sequence[str], third: int = 1) -> set[str]:
    """Return the synonyms to hold out: one in three, and of two the first or the second.

    The last third has what is left over too, so that each synonym is in one of the three. Sides play no part: left
    and right organs have the same synonyms held out.
    """
    sideless = {
        term: " ".join(
            word for word in re.findall(r"[a-z]+", SIDE_INITIAL.sub("", term).lower()) if word not in ("left", "right")
        )
        for term in synonyms
    }
    ranked = sorted(synonyms, key=lambda term: _digest(sideless[term]))
    size = max(len(ranked) // THIRDS, int(len(ranked) == 2))
    end = len(ranked) if third == THIRDS else third * size
    return set(ranked[(third - 1) * size : end])


def select_held_out_groups(names: Sequence[str], hold_out: HoldOut) -> set[str]:
    """Return the groups of a fold. Over all folds each group is held out once; sides are never in different folds."""
    if not hold_out.folds:
        return set()
    ranked = sorted({sideless_words(name) for name in names}, key=_digest)
    chosen = set(ranked[hold_out.fold - 1 :: hold_out.folds])
    return {name for name in names if sideless_words(name) in chosen}


def sideless_words(term: str) -> str:
    """Return the words of a term in lower case without sides, each as a singular."""
    words = singular_words(SIDE_INITIAL.sub("", term)).split()
    return " ".join(word for word in words if word not in SIDES)


def singular_words(term: str) -> str:
    """Return the words of a term in lower case, each as a singular."""
    return " ".join(word.removesuffix("s") for word in re.findall(r"[a-z0-9]+", term.lower()))


def _digest(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()
