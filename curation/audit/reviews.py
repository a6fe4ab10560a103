"""What one reviewer sees and says: captions by place, verdicts with their history, and the next one of a kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from curation.caption_set.audit_results import Verdict

from .store import Store

OPEN = "none"
"""In a filter, instead of a verdict: none yet."""
FILTERS = ("kind", "organ", "status", "engine", "verdict")
NOT_BLIND = ("kind", "status")
"""Filters that would tell what the verifier says."""


class Correction(NamedTuple):
    """What a caption should have been. ``start`` and ``end`` are its evidence, where the verifier finds it."""

    organ: str
    caption: str
    status: str
    start: int | None = None
    end: int | None = None
    score: float | None = None
    section: str | None = None


class Said(NamedTuple):
    """What a reviewer says of a caption at the moment. ``event`` numbers all that was ever said; 0: nothing yet."""

    event: int = 0
    verdict: Verdict | None = None
    note: str = ""
    correction: Correction | None = None


class Conflict(Exception):
    """Something else was said of the caption in the meantime, in another tab."""


class Reviews:
    """One reviewer's part of an audit. Raises ``LookupError`` for places that are not theirs."""

    def __init__(self, store: Store, name: str, *, blind: bool = False) -> None:
        self._store = store
        self.name = name
        self.blind = blind
        number = store.value("SELECT id FROM reviewer WHERE name = ?", name)
        if number is None:
            raise LookupError(f"no reviewer {name}")
        self._reviewer: int = number

    @property
    def filters(self) -> tuple[str, ...]:
        """What they may filter by."""
        return tuple(name for name in FILTERS if not (self.blind and name in NOT_BLIND))

    @property
    def total(self) -> int:
        """Captions that are theirs."""
        return self._store.value("SELECT max(place) FROM turn WHERE reviewer = ?", self._reviewer) or 0

    def counts(self) -> dict[str, int]:
        """How many captions have which of their verdicts."""
        query = """SELECT verdict, count(*) FROM review
            WHERE reviewer = ? AND verdict IS NOT NULL GROUP BY verdict"""
        return dict(self._store.rows(query, self._reviewer))

    def item(self, place: int) -> int:
        """The caption of the sample at a place, from 1."""
        found = self._store.value("SELECT item FROM turn WHERE reviewer = ? AND place = ?", self._reviewer, place)
        if found is None:
            raise LookupError(f"there is no caption {place:,}: they go from 1 to {self.total:,}")
        return int(found)

    def place(self, item: int) -> int | None:
        """Where a caption of the sample stands, if it is theirs."""
        found = self._store.value("SELECT place FROM turn WHERE reviewer = ? AND item = ?", self._reviewer, item)
        return None if found is None else int(found)

    def said(self, item: int) -> Said:
        """What they say of a caption."""
        query = """SELECT event.id, event.verdict, event.note, event.correction FROM review
            JOIN event ON event.id = review.event WHERE review.reviewer = ? AND review.item = ?"""
        rows = self._store.rows(query, self._reviewer, item)
        return _said(*rows[0]) if rows else Said()

    def say(
        self, item: int, seen: int, verdict: Verdict | None, note: str = "", correction: Correction | None = None
    ) -> Said:
        """Say something of a caption, which is on disk when this returns.

        ``seen`` is the number of what they saw they had said of it. Raises ``Conflict`` where that is not the last.
        """
        with self._store.transaction():
            if self.said(item).event != seen:
                raise Conflict
            query = """INSERT INTO event (reviewer, item, verdict, note, correction, blind, at)
                VALUES (?, ?, ?, ?, ?, ?, ?)"""
            kept = json.dumps(correction._asdict()) if correction else None
            values = (self._reviewer, item, verdict, note, kept, self.blind and not self._has_decided(item), _now())
            self._store.base.execute(query, values)
            self._refresh(item)
        return self.said(item)

    def _has_decided(self, item: int) -> bool:
        """Whether they ever had a verdict on a caption, and so were shown what others say of it."""
        query = "SELECT 1 FROM event WHERE reviewer = ? AND item = ? AND verdict IS NOT NULL"
        return self._store.value(query, self._reviewer, item) is not None

    def undo(self) -> int | None:
        """Take back the last thing said, and name the caption that it was said of; ``None`` where nothing is left."""
        with self._store.transaction():
            query = "SELECT id, item FROM event WHERE reviewer = ? AND undone IS NULL ORDER BY id DESC LIMIT 1"
            rows = self._store.rows(query, self._reviewer)
            if not rows:
                return None
            event, item = rows[0]
            self._store.base.execute("UPDATE event SET undone = ? WHERE id = ?", (_now(), event))
            self._refresh(item)
        return int(item)

    def _refresh(self, item: int) -> None:
        """Have ``review`` name the last thing that was said and stands."""
        self._store.base.execute("DELETE FROM review WHERE reviewer = ? AND item = ?", (self._reviewer, item))
        query = """INSERT INTO review SELECT reviewer, item, id, verdict FROM event
            WHERE reviewer = ? AND item = ? AND undone IS NULL ORDER BY id DESC LIMIT 1"""
        self._store.base.execute(query, (self._reviewer, item))

    def find(self, place: int, step: int, filters: Mapping[str, str]) -> int | None:
        """The next place (``step`` 1) or the one before (-1) whose caption passes the filters.

        ``filters`` has values for some of ``FILTERS``; ``OPEN`` as a verdict stands for none.
        """
        item = self._item_near(place, step)
        order, compare = ("ASC", ">") if step > 0 else ("DESC", "<")
        conditions, values = _conditions(filters, self._reviewer)
        # A cross join keeps this order: from caption to caption by an index, until one passes.
        query = f"""SELECT turn.place FROM item CROSS JOIN turn ON turn.reviewer = ? AND turn.item = item.id
            WHERE item.id {compare} ? {"".join(f"AND {one} " for one in conditions)}
            ORDER BY item.id {order} LIMIT 1"""
        found = self._store.value(query, self._reviewer, item, *values)
        return None if found is None else int(found)

    def _item_near(self, place: int, step: int) -> int:
        """The caption at a place; before the first and behind the last one there is room for all others."""
        if place < 1:
            return 0
        total = self.total
        return self.item(place) if place <= total else self.item(total) + 1 if total else 0

    @cached_property
    def choices(self) -> dict[str, dict[str, int]]:
        """What can be filtered by, with the number of their captions: values of kind, organ, status and engine.

        They do not change during a review, and counting a million captions takes seconds.
        """
        names = [name for name in self.filters if name != "verdict"]
        return {name: dict(self._store.rows(_CHOICES.format(name), self._reviewer)) for name in names}


_CHOICES = """SELECT {0}, count(*) FROM item JOIN turn ON turn.item = item.id
    WHERE turn.reviewer = ? AND {0} IS NOT NULL GROUP BY {0} ORDER BY {0}"""


def _conditions(filters: Mapping[str, str], reviewer: int) -> tuple[list[str], list[Any]]:
    conditions, values = [], list[Any]()
    for name in FILTERS[:-1]:
        if name in filters:
            conditions.append(f"item.{name} = ?")
            values.append(filters[name])
    verdict = filters.get("verdict")
    review = "SELECT 1 FROM review WHERE review.reviewer = ? AND review.item = item.id AND review.verdict"
    if verdict == OPEN:
        conditions.append(f"NOT EXISTS ({review} IS NOT NULL)")
        values.append(reviewer)
    elif verdict is not None:
        conditions.append(f"EXISTS ({review} = ?)")
        values += [reviewer, verdict]
    return conditions, values


def _said(event: int, verdict: str | None, note: str, correction: str | None) -> Said:
    corrected = Correction(**json.loads(correction)) if correction else None
    return Said(event, Verdict(verdict) if verdict else None, note, corrected)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
