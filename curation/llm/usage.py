"""What a language model costs while it works, and how much of what it says holds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from curation.caption_set.manifest import Usage

WINDOW = 500
"""Captions over which an accept rate is taken."""
KEPT_EVERY = 0.5
"""Seconds of counts that a killed run may lose."""
FALLEN = 0.6
RECOVERED = 0.8
"""Shares of the first rate at which a fall is told, and at which another one may be."""


class Spent(NamedTuple):
    """Counts of chats by kind, of those without an answer, tokens, and seconds with the model at work.

    ``first_accepted`` of ``first_judged`` captions is the accept rate that the set began with.
    """

    questions: int = 0
    retries: int = 0
    repairs: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    first_accepted: int = 0
    first_judged: int = 0

    def plus(self, other: Spent) -> Spent:
        """The sum of both."""
        return Spent._make(one + two for one, two in zip(self, other, strict=True))


@dataclass(frozen=True, slots=True)
class Prices:
    """Price of a million tokens, in whatever currency."""

    prompt: float
    completion: float

    def of(self, spent: Spent) -> float:
        """What was spent, in that currency."""
        return (spent.prompt_tokens * self.prompt + spent.completion_tokens * self.completion) / 1e6


class Ledger(Protocol):
    """What whoever talks to a model tells of it; see ``Meter``."""

    def begin(self) -> None:
        """A chat was handed to the model."""

    def end(self, spent: Spent) -> None:
        """A chat came back, with or without an answer."""

    def judge(self, accepted: int, refused: int) -> None:
        """So many captions of a report hold, and so many do not."""

    def line(self) -> str:
        """Where it stands, for the progress line."""
        ...


class Meter:
    """Counts what a run spends and how much of it is accepted. ``keep`` is given each addition to the ledger.

    ``warn`` is called when the accept rate of the last captions falls far below that of the first ones.
    """

    def __init__(
        self, spent: Spent, prices: Prices | None, keep: Callable[[Spent], None], warn: Callable[[str], None]
    ) -> None:
        self.spent = spent
        self._unkept = Spent()
        self._prices = prices
        self._keep = keep
        self._kept_at = time.monotonic()
        self._warn = warn
        self._under_way = 0
        self._since = 0.0
        self._recent: deque[tuple[int, int]] = deque()
        self._accepted = self._judged = 0
        self._fallen = False

    def begin(self) -> None:
        """A chat was handed to the model."""
        if self._under_way == 0:
            self._since = time.monotonic()
        self._under_way += 1

    def end(self, spent: Spent) -> None:
        """A chat came back, with or without an answer."""
        self._under_way -= 1
        now = time.monotonic()
        self._add(spent._replace(seconds=now - self._since))
        self._since = now

    def _add(self, spent: Spent) -> None:
        self.spent = self.spent.plus(spent)
        self._unkept = self._unkept.plus(spent)
        if time.monotonic() - self._kept_at > KEPT_EVERY:
            self.flush()

    def flush(self) -> None:
        """Have the ledger keep what was added since the last time."""
        self._keep(self._unkept)
        self._unkept, self._kept_at = Spent(), time.monotonic()

    def judge(self, accepted: int, refused: int) -> None:
        """So many captions of a report hold, and so many do not."""
        judged = accepted + refused
        if self.spent.first_judged < WINDOW:
            self._add(Spent(first_accepted=accepted, first_judged=judged))
        self._recent.append((accepted, judged))
        self._accepted += accepted
        self._judged += judged
        while self._judged - self._recent[0][1] >= WINDOW:
            left = self._recent.popleft()
            self._accepted -= left[0]
            self._judged -= left[1]
        self._look()

    def _look(self) -> None:
        first, recent = self.first_rate, self.recent_rate
        if first is None or recent is None or self._judged < WINDOW:
            return
        if not self._fallen and recent < FALLEN * first:
            self._fallen = True
            self._warn(
                f"of the last {self._judged:,} captions {recent:.0%} were accepted, of the first ones {first:.0%}: "
                "other reports, or a model that has lost its way? The rejects say why"
            )
        elif self._fallen and recent > RECOVERED * first:
            self._fallen = False

    @property
    def first_rate(self) -> float | None:
        """Share of the first captions that was accepted."""
        return self.spent.first_accepted / self.spent.first_judged if self.spent.first_judged else None

    @property
    def recent_rate(self) -> float | None:
        """Share of the last captions that was accepted."""
        return self._accepted / self._judged if self._judged else None

    def line(self) -> str:
        """Where it stands, for the progress line."""
        spent = self.spent
        parts = [f"{spent.prompt_tokens:,} tokens in, {spent.completion_tokens:,} out"]
        if spent.seconds:
            parts.append(f"{spent.completion_tokens / spent.seconds:,.0f} tokens/s")
        if self.recent_rate is not None:
            parts.append(f"{self.recent_rate:.0%} accepted")
        if self._prices:
            parts.append(f"cost {self._prices.of(spent):,.2f}")
        return ", ".join(parts)

    def usage(self) -> Usage:
        """The manifest's record of it."""
        spent, rates = self.spent, (self.first_rate, self.recent_rate)
        return Usage(
            **{name: amount for name, amount in spent._asdict().items() if name in Usage.model_fields},
            tokens_per_second=round(spent.completion_tokens / spent.seconds, 1) if spent.seconds else None,
            first_accept_rate=None if rates[0] is None else round(rates[0], 4),
            last_accept_rate=None if rates[1] is None else round(rates[1], 4),
            prices=(self._prices.prompt, self._prices.completion) if self._prices else None,
            cost=round(self._prices.of(spent), 6) if self._prices else None,
        )
