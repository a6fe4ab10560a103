"""Settings of `train words`: which words the text encoder learns, and what is held out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .option import ConfigError, option, require_at_least
from .prompting import check_third


@dataclass(frozen=True)
class WordLearning:
    """Options of `train words` alone: the text encoder learns the anatomy vocabulary."""

    text: str = option("FremyCompany/BioLORD-2023", "Text encoder: a name on the hub, a directory, or a checkpoint.")
    organs: str = option("", "Names of organs that your site uses, and its own organs (docs/lexicon.md).")
    hold_out: Literal["all", "none"] = option(
        "all",
        "all: what stage 3 holds out is not learned, and the score says how well it is understood; none: for use.",
    )
    held_out_third: int = option(1, "Which third of the synonyms is held out, 1 to 3; the same as in train segment.")
    group_weight: float = option(1.0, "Weight of the loss that places a group at the mean of its members.")
    temperature: float = option(0.05, "Temperature of the contrastive loss.", flag=False)

    def __post_init__(self) -> None:
        require_at_least(self, 0, "group_weight")
        check_third(self.held_out_third)
        if not self.temperature > 0:
            raise ConfigError(f"temperature: above 0, not {self.temperature}")
