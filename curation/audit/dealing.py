"""Who reviews what: a share of the sample is for everyone, the rest is dealt among the reviewers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .store import Store

OVERLAP = 1.0


def deal(store: Store, names: Sequence[str], overlap: float | None = None) -> None:
    """Deal the sample to all reviewers so far and to ``names``. Nothing moves unless somebody or something is new.

    ``overlap`` (0 to 1, as it was by default) is the share that everyone reviews. What somebody has already reviewed
    stays theirs.
    """
    with store.transaction():
        for name in names:
            store.base.execute("INSERT OR IGNORE INTO reviewer (name) VALUES (?)", (name,))
        reviewers = [number for (number,) in store.rows("SELECT id FROM reviewer ORDER BY id")]
        share = store.fact("overlap", OVERLAP) if overlap is None else overlap
        dealt = [reviewers, share, store.value("SELECT count(*) FROM item")]
        if store.fact("dealt") == dealt:
            return
        store.base.execute("DELETE FROM turn")
        store.base.executemany("INSERT INTO turn VALUES (?, ?, ?)", _turns(store, reviewers, share))
        store.set_facts(overlap=share, dealt=dealt)


def _turns(store: Store, reviewers: Sequence[int], share: float) -> Iterator[tuple[int, int, int]]:
    """Reviewer, place and caption, in the order of the sample. The order is random, so any cut through it is too."""
    begun: dict[int, list[int]] = {}
    for item, reviewer in store.rows("SELECT item, reviewer FROM review ORDER BY item, reviewer"):
        begun.setdefault(item, []).append(reviewer)
    places = dict.fromkeys(reviewers, 0)
    own = dict.fromkeys(reviewers, 0)  # captions that are not for everyone
    for number, (item,) in enumerate(store.rows("SELECT id FROM item ORDER BY id")):
        if int((number + 1) * share) > int(number * share):
            mine: Sequence[int] = reviewers
        else:
            mine = begun.get(item) or [min(reviewers, key=lambda one: (own[one], one))]
            for reviewer in mine:
                own[reviewer] += 1
        for reviewer in mine:
            places[reviewer] += 1
            yield reviewer, places[reviewer], item
