"""Counts what a language model costs while it works, and what share of its captions is accepted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from curation.caption_set.manifest import Usage

WINDOW = 500
"""Captions over which an accept rate is taken."""
SAVE_SECONDS = 0.5
"""Seconds of counts that a killed run may lose."""
FALL_WARNED = 0.6
RECOVERED = 0.8
"""Shares of the first accept rate: below the one a warning is given, above the other there may be another warning."""


class UsageCounts(NamedTuple):
    """Stores counts: chats by kind, chats without an answer, tokens, and seconds with the model at work.

    ``first_accepted`` of ``first_judged`` captions is the accept rate that the set began with. The names of the fields
    are keys in the file of ``AnswerStore``.
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
    opinions: int = 0

    def plus(self, other: UsageCounts) -> UsageCounts:
        """Return the sum of both."""
        return UsageCounts._make(mine + theirs for mine, theirs in zip(self, other, strict=True))


@dataclass(frozen=True, slots=True)
class Prices:
    """Price of a million tokens, in whatever currency."""

    prompt: float
    completion: float

    def of(self, counts: UsageCounts) -> float:
        """Return the cost of the tokens, in that currency."""
        return (counts.prompt_tokens * self.prompt + counts.completion_tokens * self.completion) / 1e6


class UsageRecorder(Protocol):
    """Records each chat with a model, and what became of its captions; see ``UsageMeter``."""

    def begin(self) -> None:
        """Note that a chat was handed to the model."""

    def end(self, counts: UsageCounts) -> None:
        """Note that a chat came back, with or without an answer."""

    def judge(self, accepted: int, refused: int) -> None:
        """Note how many captions of a report were accepted and refused."""

    def line(self) -> str:
        """Return the state of the run, for the progress line."""
        ...


class UsageMeter:
    """Counts what a run costs and how many captions are accepted. ``save`` is called with each addition to the sum.

    ``warn`` is called when the accept rate of the last captions falls far below that of the first ones.
    """

    def __init__(
        self,
        counts: UsageCounts,
        prices: Prices | None,
        save: Callable[[UsageCounts], None],
        warn: Callable[[str], None],
    ) -> None:
        self.counts = counts
        self._unsaved = UsageCounts()
        self._prices = prices
        self._save = save
        self._saved_at = time.monotonic()
        self._warn = warn
        self._chats_under_way = 0
        self._working_since = 0.0
        self._recent: deque[tuple[int, int]] = deque()
        self._accepted = self._judged = 0
        self._has_fallen = False

    def begin(self) -> None:
        """Note that a chat was handed to the model."""
        if self._chats_under_way == 0:
            self._working_since = time.monotonic()
        self._chats_under_way += 1

    def end(self, counts: UsageCounts) -> None:
        """Note that a chat came back, with or without an answer."""
        self._chats_under_way -= 1
        now = time.monotonic()
        self._add(counts._replace(seconds=now - self._working_since))
        self._working_since = now

    def _add(self, counts: UsageCounts) -> None:
        self.counts = self.counts.plus(counts)
        self._unsaved = self._unsaved.plus(counts)
        if time.monotonic() - self._saved_at > SAVE_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Save what was added since the last time."""
        self._save(self._unsaved)
        self._unsaved, self._saved_at = UsageCounts(), time.monotonic()

    def judge(self, accepted: int, refused: int) -> None:
        """Note how many captions of a report were accepted and refused."""
        judged = accepted + refused
        if self.counts.first_judged < WINDOW:
            self._add(UsageCounts(first_accepted=accepted, first_judged=judged))
        self._recent.append((accepted, judged))
        self._accepted += accepted
        self._judged += judged
        while self._judged - self._recent[0][1] >= WINDOW:
            oldest_accepted, oldest_judged = self._recent.popleft()
            self._accepted -= oldest_accepted
            self._judged -= oldest_judged
        self._check_rate()

    def _check_rate(self) -> None:
        first, recent = self.first_rate, self.recent_rate
        if first is None or recent is None or self._judged < WINDOW:
            return
        if not self._has_fallen and recent < FALL_WARNED * first:
            self._has_fallen = True
            self._warn(
                f"of the last {self._judged:,} captions {recent:.0%} were accepted, of the first ones {first:.0%}: "
                "other reports, or a model that has lost its way? The rejects say why"
            )
        elif self._has_fallen and recent > RECOVERED * first:
            self._has_fallen = False

    @property
    def first_rate(self) -> float | None:
        """Share of the first captions that was accepted."""
        return self.counts.first_accepted / self.counts.first_judged if self.counts.first_judged else None

    @property
    def recent_rate(self) -> float | None:
        """Share of the last captions that was accepted."""
        return self._accepted / self._judged if self._judged else None

    def line(self) -> str:
        """Return the state of the run, for the progress line."""
        counts = self.counts
        parts = [f"{counts.prompt_tokens:,} tokens in, {counts.completion_tokens:,} out"]
        if counts.seconds:
            parts.append(f"{counts.completion_tokens / counts.seconds:,.0f} tokens/s")
        if self.recent_rate is not None:
            parts.append(f"{self.recent_rate:.0%} accepted")
        if self._prices:
            parts.append(f"cost {self._prices.of(counts):,.2f}")
        return ", ".join(parts)

    def usage(self) -> Usage:
        """Return the record of it in the manifest."""
        counts, first, last = self.counts, self.first_rate, self.recent_rate
        return Usage(
            **{name: amount for name, amount in counts._asdict().items() if name in Usage.model_fields},
            tokens_per_second=round(counts.completion_tokens / counts.seconds, 1) if counts.seconds else None,
            first_accept_rate=None if first is None else round(first, 4),
            last_accept_rate=None if last is None else round(last, 4),
            prices=(self._prices.prompt, self._prices.completion) if self._prices else None,
            cost=round(self._prices.of(counts), 6) if self._prices else None,
        )
