from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.order import Order, random, shares


def batches(order: Order, count: int) -> list[list[int]]:
    size = order.batch_size
    return [[order[step * size + place] for place in range(size)] for step in range(count)]


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 5))
def test_an_epoch_shows_each_scan_once(scans: int, batch: int, seed: int) -> None:
    order = Order([f"scan{number}" for number in range(scans)], batch, seed)
    assert order.repeats == (scans < batch)
    if order.repeats:
        return
    for epoch in range(3):
        steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
        shown = [order[step * batch + place] for step in steps for place in range(batch)]
        assert len(set(shown)) == len(shown) > scans - batch


def test_no_batch_shows_a_scan_twice_and_every_reconstruction_has_its_turn() -> None:
    scans = [scan for scan in "abcdefg" for _ in range(1 + ord(scan) % 3)]
    order = Order(scans, 3, seed=1)
    shown = batches(order, 400)
    assert all(len({scans[index] for index in batch}) == 3 for batch in shown)
    counts = Counter(index for batch in shown for index in batch)
    assert counts.keys() == set(range(len(scans)))
    for scan in "abcdefg":
        shown_times = [counts[index] for index, name in enumerate(scans) if name == scan]
        # A scan counts once, however many reconstructions it has.
        assert 0.75 < sum(shown_times) / (3 * 400 / 7) < 1.25 and max(shown_times) < 1.8 * min(shown_times)


def test_epochs_differ_and_a_seed_gives_the_same_order_whatever_was_asked_before() -> None:
    scans = [str(number) for number in range(12)]
    forward = [Order(scans, 4, seed=2)[number] for number in range(48)]
    order = Order(scans, 4, seed=2)
    assert [order[number] for number in reversed(range(48))] == forward[::-1]
    assert forward[:12] != forward[12:24]
    assert forward != [Order(scans, 4, seed=3)[number] for number in range(48)]


def test_the_order_of_the_cases_in_the_folder_does_not_decide() -> None:
    scans = ["c", "a", "b", "a"]
    unsorted_order, sorted_order = Order(scans, 1, 0), Order(sorted(scans), 1, 0)
    assert [scans[unsorted_order[number]] for number in range(30)] == [
        sorted(scans)[sorted_order[number]] for number in range(30)
    ]


def test_fewer_scans_than_samples_are_shown_alike() -> None:
    order = Order(["a", "b", "c"], 7, 0)
    assert all(set(Counter(batch).values()) <= {2, 3} for batch in batches(order, 20))


def test_nothing_to_train_on() -> None:
    with pytest.raises(ValueError, match="no case"):
        Order([], 1, 0)


def test_random_numbers_depend_on_the_key_alone() -> None:
    keys = [(0, 1, 2), (0, 2, 1), (1, 1, 2), (0, 1)]
    drawn = [tuple(random(key).integers(1 << 62, size=3)) for key in keys]
    assert drawn == [tuple(random(key).integers(1 << 62, size=3)) for key in keys]
    assert len(set(drawn)) == len(keys)
    assert isinstance(random((1,)), np.random.Generator)


@given(st.integers(0, 20), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_shares_are_a_partition_of_the_batch(step: int, parts: int, world: int, size: int) -> None:
    batch = size * parts * world
    every = [shares(step, batch, parts, rank, world) for rank in range(world)]
    assert all(len(part) == size for rank in every for part in rank) and all(len(rank) == parts for rank in every)
    # Part by part and rank by rank, so that what all processes take first is the front of the batch.
    flat = [number for part in range(parts) for rank in every for number in rank[part]]
    assert flat == list(range(step * batch, (step + 1) * batch))
