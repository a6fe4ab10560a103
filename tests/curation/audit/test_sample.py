"""A sample drawn once, copied with its reports, made larger, and assigned to reviewers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.audit.reviewer import Reviewer
from curation.audit.sample import SampleRequest, assign_captions, draw_sample, sample_request
from curation.audit.sampling_frame import RowLocation
from curation.audit.store import AuditStore
from curation.caption import RefusedCaption
from curation.caption_set.manifest import load_manifest
from curation.caption_set.work_folder import SetError
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress
from tests.curation.audit.builders import give_verdicts, make_report, open_audit, plain_reports, write_set


def sampled(store: AuditStore) -> list[tuple[Any, ...]]:
    query = """SELECT item.id, caption.kind, part, row, stratum FROM item
        JOIN caption ON caption.id = item.caption ORDER BY item.id"""
    return store.rows(query)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain_reports(100, refused_each=1), reports_per_part=30)
    return tmp_path / "set"


def test_the_default_is_a_hundred_accepted_captions(root: Path) -> None:
    with open_audit(root) as store:
        assert (store.sample_size("accepted"), store.sample_size("refused")) == (100, 0)
        assert (store.fact("accepted"), store.fact("refused")) == (300, 100)
        assert (store.fact("design"), store.fact("seed")) == ("stratified", 0)
        assert sum(store.fact("bands")) == 300


def test_it_stays_the_same_on_return_and_with_the_same_seed(root: Path, tmp_path: Path) -> None:
    with open_audit(root) as store:
        first = sampled(store)
    with open_audit(root) as store:
        assert sampled(store) == first
    with open_audit(root, sample=SampleRequest(accepted=50)) as store:  # fewer: those that are there stay
        assert sampled(store) == first
    write_set(tmp_path / "twin", plain_reports(100, refused_each=1), reports_per_part=30)
    with open_audit(tmp_path / "twin") as store:
        assert sampled(store) == first
    write_set(tmp_path / "other", plain_reports(100, refused_each=1), reports_per_part=30)
    with open_audit(tmp_path / "other", sample=SampleRequest(seed=1)) as store:
        assert sampled(store) != first


def test_it_grows_and_keeps_what_was_drawn(root: Path) -> None:
    with open_audit(root, sample=SampleRequest(accepted=40)) as store:
        first = sampled(store)
        texts = store.value("SELECT count(*) FROM report")
    with open_audit(root, sample=SampleRequest(accepted=200, refused=30)) as store:
        assert sampled(store)[:40] == first
        assert (store.sample_size("accepted"), store.sample_size("refused")) == (200, 30)
        assert len({row[1:4] for row in sampled(store)}) == 230
        assert store.value("SELECT count(*) FROM report") > texts
        kinds = "".join(row[1][0] for row in sampled(store)[40:])
        assert "ar" in kinds and "ra" in kinds  # in random order


def test_more_than_there_is_takes_all(root: Path) -> None:
    with open_audit(root, sample=SampleRequest(accepted=10_000, refused=10_000)) as store:
        assert (store.sample_size("accepted"), store.sample_size("refused")) == (300, 100)
        assert sorted(store.sampled_rows("refused")) == [
            RowLocation(part, row) for part, size in enumerate((30, 30, 30, 10)) for row in range(size)
        ]


def test_each_item_is_the_row_that_the_set_has(root: Path) -> None:
    import pyarrow.parquet as pq

    with open_audit(root, sample=SampleRequest(accepted=60, refused=20)) as store:
        rows = store.rows("""SELECT report_id, text, caption.* FROM item JOIN caption ON caption.id = item.caption
                             JOIN report ON report.id = report""")
        names = [column[0] for column in store.connection.execute("SELECT * FROM caption").description]
        for report_id, text, *values in rows:
            stored = dict(zip(names, values, strict=True))
            table = "captions" if stored["kind"] == "accepted" else "rejects"
            path = root / table / f"part-{stored['part']:05d}.parquet"
            row = pq.read_table(path).slice(stored["row"], 1).to_pylist()[0]
            assert row["report_id"] == report_id
            for name in row.keys() & stored.keys():
                assert row[name] == stored[name], name
            if stored["kind"] == "accepted":
                assert text[stored["evidence_start"] : stored["evidence_end"]] == row["evidence"]


def test_all_captions_of_a_sampled_report_are_there_once(root: Path) -> None:
    with open_audit(root, sample=SampleRequest(accepted=30)) as store:
        counts = store.rows("SELECT count(*) FROM caption GROUP BY report")
        assert {count for (count,) in counts} == {4}
    with open_audit(root, sample=SampleRequest(accepted=300)) as store:
        assert store.value("SELECT count(*) FROM caption") == 400


@pytest.mark.parametrize("changed", [SampleRequest(seed=5), SampleRequest(design="random")])
def test_another_design_or_seed_is_told(root: Path, changed: SampleRequest) -> None:
    with open_audit(root, sample=SampleRequest(seed=4)):
        pass
    with open_audit(root, sample=SampleRequest(seed=4, design="stratified")):
        pass
    with pytest.raises(SetError, match="--redraw"), open_audit(root, sample=changed):
        pass


def test_another_state_of_the_set_is_told_and_nothing_is_lost(root: Path) -> None:
    with open_audit(root) as store:
        before = sampled(store)
    manifest = load_manifest(root)
    settings = manifest.settings.model_copy(update={"lexicon": "another"})
    manifest.model_copy(update={"settings": settings}).save(root)
    with pytest.raises(SetError, match=r"has changed since its sample was drawn .*--redraw"), open_audit(root):
        pass
    manifest.model_copy(update={"license": "mit"}).save(root)  # that changes no row
    with open_audit(root) as store:
        assert sampled(store) == before


def test_a_set_without_captions(tmp_path: Path) -> None:
    write_set(tmp_path / "set", [(make_report(1, "Nothing."), [], [])])
    with pytest.raises(InputError, match="no caption to review"), open_audit(tmp_path / "set"):
        pass


def test_refused_captions_alone_can_be_reviewed(tmp_path: Path) -> None:
    write_set(
        tmp_path / "set",
        [(make_report(1, "Nothing."), [], [RefusedCaption("liver", "Large liver", "negation", "no", None)])],
    )
    with open_audit(tmp_path / "set", sample=SampleRequest(refused=5)) as store:
        assert store.sample_size("refused") == 1


class Stops(Progress):
    def __init__(self, after: int) -> None:
        self.left = after

    def raise_if_interrupted(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted


def test_a_draw_that_is_stopped_leaves_nothing(root: Path, tmp_path: Path) -> None:
    manifest = load_manifest(root)
    with open_audit(root) as store:
        expected = sampled(store)
    for after in range(12):
        path = tmp_path / f"{after}.sqlite"
        store = AuditStore(path, new=True)
        with pytest.raises(Interrupted):
            draw_sample(root, manifest, store, SampleRequest(), Stops(after))
        assert store.value("SELECT count(*) FROM item") == 0 and store.fact("set") is None
        draw_sample(root, manifest, store, SampleRequest(), Progress())
        assert sampled(store) == expected
        store.close()


def test_what_is_asked_is_checked() -> None:
    assert sample_request(5, None, "random", 3) == SampleRequest(5, None, "random", 3)
    with pytest.raises(InputError, match="--design magic: there are stratified and random"):
        sample_request(None, None, "magic", None)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_set(tmp_path / "small", plain_reports(20))
    return tmp_path / "small"


def items_of(store: AuditStore, name: str) -> set[int]:
    reviews = Reviewer(store, name)
    return {reviews.item_at(place) for place in range(1, reviews.total + 1)}


def test_alone_one_reviews_all(small: Path) -> None:
    with open_audit(small) as store:
        assert items_of(store, "ann") == set(range(1, 61))


def test_all_review_all_unless_said_otherwise(small: Path) -> None:
    with open_audit(small, "ann", "ben") as store:
        assert items_of(store, "ann") == items_of(store, "ben") == set(range(1, 61))


@pytest.mark.parametrize(("share", "both"), [(0.0, 0), (0.25, 15), (0.5, 30), (0.999, 59), (1.0, 60)])
def test_a_share_is_for_everyone_and_the_rest_is_dealt_evenly(small: Path, share: float, both: int) -> None:
    with open_audit(small, "ann", "ben", "cem", overlap=share) as store:
        parts = [items_of(store, name) for name in ("ann", "ben", "cem")]
        assert len(set.intersection(*parts)) == both
        assert set.union(*parts) == set(range(1, 61))
        sizes = sorted(map(len, parts))
        assert sizes[-1] - sizes[0] <= 1 and sum(sizes) == 60 + 2 * both


def test_who_comes_later_takes_of_what_nobody_has_begun(small: Path) -> None:
    with open_audit(small, "ann", overlap=0.5) as store:
        give_verdicts(store, "ann", ["supported"] * 20)
        before = {item for (item,) in store.rows("SELECT item FROM review")}
        assign_captions(store, ["ben"])
        ann, ben = items_of(store, "ann"), items_of(store, "ben")
        assert before <= ann and ann | ben == set(range(1, 61)) and len(ann & ben) == 30
        assert abs(len(ann) - len(ben)) <= 1
        assert [Reviewer(store, "ann").verdict_counts(), Reviewer(store, "ben").verdict_counts()] == [
            {"supported": 20},
            {},
        ]


def test_the_same_again_moves_nothing(small: Path) -> None:
    with open_audit(small, "ann", "ben", overlap=0.3) as store:
        before = store.rows("SELECT * FROM turn")
        give_verdicts(store, "ben", ["supported"] * 7)
        assign_captions(store, ["ben"])
        assign_captions(store, ["ann", "ben"], 0.3)
        assert store.rows("SELECT * FROM turn") == before


@given(share=st.floats(0, 1), done=st.integers(0, 20))
def test_everything_is_somebodys_and_nothing_begun_is_lost(
    tmp_path_factory: pytest.TempPathFactory, share: float, done: int
) -> None:
    root = tmp_path_factory.mktemp("deal") / "set"
    write_set(root, plain_reports(10))
    with open_audit(root, "ann", "ben", overlap=share) as store:
        give_verdicts(store, "ben", ["supported"] * min(done, Reviewer(store, "ben").total))
        begun = {item for (item,) in store.rows("SELECT item FROM review")}
        assign_captions(store, ["cem"], 1 - share)
        assert set.union(*(items_of(store, name) for name in ("ann", "ben", "cem"))) == set(range(1, 31))
        assert begun <= items_of(store, "ben")
