"""Who reviews what"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.audit.dealing import deal
from curation.audit.reviews import Reviews
from curation.audit.store import Store
from tests.curation.audit.making import opened, plain, say_all, write_set


def items(store: Store, name: str) -> set[int]:
    reviews = Reviews(store, name)
    return {reviews.item(place) for place in range(1, reviews.total + 1)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain(20))
    return tmp_path / "set"


def test_alone_one_reviews_all(root: Path) -> None:
    with opened(root) as store:
        assert items(store, "ann") == set(range(1, 61))


def test_all_review_all_unless_said_otherwise(root: Path) -> None:
    with opened(root, "ann", "ben") as store:
        assert items(store, "ann") == items(store, "ben") == set(range(1, 61))


@pytest.mark.parametrize(("share", "both"), [(0.0, 0), (0.25, 15), (0.5, 30), (0.999, 59), (1.0, 60)])
def test_a_share_is_for_everyone_and_the_rest_is_dealt_evenly(root: Path, share: float, both: int) -> None:
    with opened(root, "ann", "ben", "cem", overlap=share) as store:
        parts = [items(store, name) for name in ("ann", "ben", "cem")]
        assert len(set.intersection(*parts)) == both
        assert set.union(*parts) == set(range(1, 61))
        sizes = sorted(map(len, parts))
        assert sizes[-1] - sizes[0] <= 1 and sum(sizes) == 60 + 2 * both


def test_who_comes_later_takes_of_what_nobody_has_begun(root: Path) -> None:
    with opened(root, "ann", overlap=0.5) as store:
        say_all(store, "ann", ["supported"] * 20)
        before = {item for (item,) in store.rows("SELECT item FROM review")}
        deal(store, ["ben"])
        ann, ben = items(store, "ann"), items(store, "ben")
        assert before <= ann and ann | ben == set(range(1, 61)) and len(ann & ben) == 30
        assert abs(len(ann) - len(ben)) <= 1
        assert [Reviews(store, "ann").counts(), Reviews(store, "ben").counts()] == [{"supported": 20}, {}]


def test_the_same_again_moves_nothing(root: Path) -> None:
    with opened(root, "ann", "ben", overlap=0.3) as store:
        before = store.rows("SELECT * FROM turn")
        say_all(store, "ben", ["supported"] * 7)
        deal(store, ["ben"])
        deal(store, ["ann", "ben"], 0.3)
        assert store.rows("SELECT * FROM turn") == before


@given(share=st.floats(0, 1), done=st.integers(0, 20))
def test_everything_is_somebodys_and_nothing_begun_is_lost(
    tmp_path_factory: pytest.TempPathFactory, share: float, done: int
) -> None:
    root = tmp_path_factory.mktemp("deal") / "set"
    write_set(root, plain(10))
    with opened(root, "ann", "ben", overlap=share) as store:
        say_all(store, "ben", ["supported"] * min(done, Reviews(store, "ben").total))
        begun = {item for (item,) in store.rows("SELECT item FROM review")}
        deal(store, ["cem"], 1 - share)
        assert set.union(*(items(store, name) for name in ("ann", "ben", "cem"))) == set(range(1, 31))
        assert begun <= items(store, "ben")
