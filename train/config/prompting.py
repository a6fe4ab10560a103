"""Which prompts a step of stage 3 asks: how many, in which shares, and what is held out of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from .option import ConfigError, option, require_at_least

# The synonyms of an organ are held out by thirds.
THIRDS = 3
SHARES = ("groups", "merged", "near_negatives", "absent_words", "nonsense")


@dataclass(frozen=True)
class HoldOut:
    """Says which words no training sees: a third of each structure's synonyms, and fold `fold` of `folds` of groups.

    Fold 1 of 1 is all groups. With `folds` 0 nothing is held out. `third` is 1, 2 or 3.
    """

    fold: int = 0
    folds: int = 0
    third: int = 1

    @classmethod
    def parse(cls, text: str, third: int = 1) -> Self:
        """Return what "none", "all" or "2/5" (fold 2 of 5) says. Raises ConfigError for anything else."""
        check_third(third)
        if text in ("none", "all"):
            return cls(*((0, 0) if text == "none" else (1, 1)), third)
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ConfigError(f"hold_out: none, all, or a fold of the groups such as 1/5 to 5/5, not {text!r}")
        return cls(int(match[1]), int(match[2]), third)


def check_third(third: int) -> None:
    """Raise ConfigError for a third that there is not."""
    if not 1 <= third <= THIRDS:
        raise ConfigError(f"held_out_third: 1, 2 or 3, not {third}")


NOTHING_HELD_OUT = HoldOut()
ALL_GROUPS_HELD_OUT = HoldOut(1, 1)


@dataclass(frozen=True)
class Prompting:
    """Options of the prompts of stage 3. What the shares leave of a step is names and synonyms of what it shows."""

    hold_out: str = option(
        "none",
        "Words that no step asks, to measure what they come to. none: for use; all: one synonym in three and all "
        "names of groups; 1/5 ... 5/5: the synonyms, and one fold of the groups.",
    )
    held_out_third: int = option(1, "Which third of the synonyms that is, 1 to 3: three runs measure all of them.")
    prompts_per_step: int = option(24, "Prompts that one step asks of its samples.")
    groups: float = option(0.15, 'Share of the prompts that are a group\'s own name or synonym ("kidneys").')
    merged: float = option(0.2, "Share of the prompts that name several structures at once, made up for the step.")
    near_negatives: float = option(
        0.15, "Share of the prompts for structures that the step does not show, but next to which it shows another."
    )
    absent_words: float = option(
        0.0, "Share of the prompts, where presence is learned last, for organs that are known to be absent."
    )
    nonsense: float = option(
        0.0, 'Share of the prompts that name nothing in a body ("apple"), which are far from all that is known anyhow.'
    )
    not_shown: tuple[str, ...] = option(
        (), "Organs and regions of the vocabulary that no volume shows: they are known to be absent.", flag=False
    )

    def __post_init__(self) -> None:
        HoldOut.parse(self.hold_out, self.held_out_third)
        require_at_least(self, 1, "prompts_per_step")
        require_at_least(self, 0, *SHARES)
        if (total := sum(getattr(self, name) for name in SHARES)) > 1:
            raise ConfigError(f"{', '.join(SHARES)}: shares of the prompts, together at most 1, not {total:g}")
