"""One reviewer's part of an audit: captions by place, reviews with their history, and the next caption of a kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from curation.caption import Spans
from curation.caption_set.audit_results import Verdict, verdict_of
from curation.caption_set.records.omissions import OmissionVerdict

from .store import AuditStore

NO_VERDICT = "none"
"""Value of the filter ``verdict`` for captions without one."""
FILTERS = ("kind", "organ", "status", "engine", "verdict")
FILTERS_HIDDEN_WHEN_BLIND = ("kind", "status")
"""Filters that would reveal the verifier's decision."""


class Correction(NamedTuple):
    """A corrected caption. ``start`` and ``end`` are its evidence, where the verifier finds it.

    ``spans`` are all passages of the evidence.
    """

    organ: str
    caption: str
    status: str
    start: int | None = None
    end: int | None = None
    score: float | None = None
    section: str | None = None
    spans: Spans = ()


def stored_correction(text: str) -> Correction:
    """Return a correction from the JSON that an audit keeps of it."""
    correction = Correction(**json.loads(text))
    return correction._replace(spans=tuple((start, end) for start, end in correction.spans))


class Review(NamedTuple):
    """A reviewer's current review of a caption. ``event`` numbers every change of a review; 0: not reviewed yet."""

    event: int = 0
    verdict: Verdict | OmissionVerdict | None = None
    note: str = ""
    correction: Correction | None = None


class ReviewConflict(Exception):
    """Raised where a review was changed in the meantime, in another tab."""


class Reviewer:
    """Reads and writes one reviewer's part of an audit. Methods raise ``LookupError`` for places outside of it."""

    def __init__(self, store: AuditStore, name: str, *, blind: bool = False) -> None:
        self._store = store
        self.name = name
        self.blind = blind
        number = store.value("SELECT id FROM reviewer WHERE name = ?", name)
        if number is None:
            raise LookupError(f"no reviewer {name}")
        self._number: int = number

    @property
    def filters(self) -> tuple[str, ...]:
        """Return the filters that the reviewer may use."""
        return tuple(name for name in FILTERS if not (self.blind and name in FILTERS_HIDDEN_WHEN_BLIND))

    @property
    def total(self) -> int:
        """Return how many captions are assigned to the reviewer."""
        return self._store.value("SELECT max(place) FROM turn WHERE reviewer = ?", self._number) or 0

    def verdict_counts(self) -> dict[str, int]:
        """Return how often the reviewer has given each verdict."""
        query = """SELECT verdict, count(*) FROM review
            WHERE reviewer = ? AND verdict IS NOT NULL GROUP BY verdict"""
        return dict(self._store.rows(query, self._number))

    def reviewed(self) -> int:
        """Return how many captions have a verdict of the reviewer."""
        return sum(self.verdict_counts().values())

    def item_at(self, place: int) -> int:
        """Return the item of the sample at a place of the reviewer's list, from 1."""
        item = self._store.value("SELECT item FROM turn WHERE reviewer = ? AND place = ?", self._number, place)
        if item is None:
            raise LookupError(f"there is no caption {place:,}: they go from 1 to {self.total:,}")
        return int(item)

    def place_of(self, item: int) -> int | None:
        """Return where an item of the sample stands in the reviewer's list, ``None`` where it is not in it."""
        place = self._store.value("SELECT place FROM turn WHERE reviewer = ? AND item = ?", self._number, item)
        return None if place is None else int(place)

    def review_of(self, item: int) -> Review:
        """Return the reviewer's current review of an item."""
        query = """SELECT event.id, event.verdict, event.note, event.correction FROM review
            JOIN event ON event.id = review.event WHERE review.reviewer = ? AND review.item = ?"""
        rows = self._store.rows(query, self._number, item)
        return _parse_review(*rows[0]) if rows else Review()

    def save_review(
        self,
        item: int,
        last_event: int,
        verdict: Verdict | OmissionVerdict | None,
        note: str = "",
        correction: Correction | None = None,
    ) -> Review:
        """Save a review and return it; it is on disk when this returns.

        ``last_event`` is the ``event`` of the review that the reviewer has seen. Raises ``ReviewConflict`` where
        another one has followed it.
        """
        with self._store.transaction():
            if self.review_of(item).event != last_event:
                raise ReviewConflict
            query = """INSERT INTO event (reviewer, item, verdict, note, correction, blind, at)
                VALUES (?, ?, ?, ?, ?, ?, ?)"""
            stored = json.dumps(correction._asdict()) if correction else None
            blind = self.blind and not self._has_decided(item)
            self._store.connection.execute(query, (self._number, item, verdict, note, stored, blind, _now()))
            self._update_review(item)
        return self.review_of(item)

    def _has_decided(self, item: int) -> bool:
        """Return whether the reviewer ever had a verdict on an item, and so was shown the verdicts of others."""
        query = "SELECT 1 FROM event WHERE reviewer = ? AND item = ? AND verdict IS NOT NULL"
        return self._store.value(query, self._number, item) is not None

    def undo(self) -> int | None:
        """Take back the reviewer's last change and return its item, ``None`` where there is nothing to take back."""
        with self._store.transaction():
            query = "SELECT id, item FROM event WHERE reviewer = ? AND undone IS NULL ORDER BY id DESC LIMIT 1"
            rows = self._store.rows(query, self._number)
            if not rows:
                return None
            event, item = rows[0]
            self._store.connection.execute("UPDATE event SET undone = ? WHERE id = ?", (_now(), event))
            self._update_review(item)
        return int(item)

    def _update_review(self, item: int) -> None:
        """Set the row of ``review`` to the last event that was not undone."""
        self._store.connection.execute("DELETE FROM review WHERE reviewer = ? AND item = ?", (self._number, item))
        query = """INSERT INTO review SELECT reviewer, item, id, verdict FROM event
            WHERE reviewer = ? AND item = ? AND undone IS NULL ORDER BY id DESC LIMIT 1"""
        self._store.connection.execute(query, (self._number, item))

    def find_place(self, place: int, step: int, filters: Mapping[str, str]) -> int | None:
        """Return the next place (``step`` 1) or the one before (-1) whose caption passes the filters.

        ``filters`` has values for some of ``FILTERS``; ``NO_VERDICT`` as a verdict finds captions without one.
        """
        item = self._item_near(place, step)
        order, compare = ("ASC", ">") if step > 0 else ("DESC", "<")
        conditions, values = _conditions(filters, self._number)
        # A cross join keeps this order: from caption to caption by an index, until one passes.
        query = f"""SELECT turn.place FROM item CROSS JOIN turn ON turn.reviewer = ? AND turn.item = item.id
            WHERE item.id {compare} ? {"".join(f"AND {condition} " for condition in conditions)}
            ORDER BY item.id {order} LIMIT 1"""
        next_place = self._store.value(query, self._number, item, *values)
        return None if next_place is None else int(next_place)

    def _item_near(self, place: int, step: int) -> int:
        """Return the item at a place; before the first and behind the last one, a number beyond all items."""
        if place < 1:
            return 0
        total = self.total
        return self.item_at(place) if place <= total else self.item_at(total) + 1 if total else 0

    @cached_property
    def filter_choices(self) -> dict[str, dict[str, int]]:
        """Return the values of kind, organ, status and engine that can be filtered by, with their numbers of captions.

        They do not change during a review, and counting a million captions takes seconds.
        """
        names = [name for name in self.filters if name != "verdict"]
        return {name: dict(self._store.rows(_CHOICES.format(name), self._number)) for name in names}


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
    if verdict == NO_VERDICT:
        conditions.append(f"NOT EXISTS ({review} IS NOT NULL)")
        values.append(reviewer)
    elif verdict is not None:
        conditions.append(f"EXISTS ({review} = ?)")
        values += [reviewer, verdict]
    return conditions, values


def _parse_review(event: int, verdict: str | None, note: str, correction: str | None) -> Review:
    corrected = stored_correction(correction) if correction else None
    return Review(event, verdict_of(verdict) if verdict else None, note, corrected)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
