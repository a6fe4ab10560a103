"""A sample drawn once, copied with its reports, and made larger"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.audit.drawing import Wanted, draw_sample, wanted
from curation.audit.frame import Place
from curation.audit.store import Store
from curation.caption import RefusedCaption
from curation.caption_set.manifest import load_manifest
from curation.caption_set.writer import SetError
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress
from tests.curation.audit.making import opened, plain, report, write_set


def sampled(store: Store) -> list[tuple[Any, ...]]:
    query = """SELECT item.id, caption.kind, part, row, stratum FROM item
        JOIN caption ON caption.id = item.caption ORDER BY item.id"""
    return store.rows(query)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain(100, refused_each=1), reports_per_part=30)
    return tmp_path / "set"


def test_the_default_is_a_hundred_accepted_captions(root: Path) -> None:
    with opened(root) as store:
        assert (store.sample_size("accepted"), store.sample_size("refused")) == (100, 0)
        assert (store.fact("accepted"), store.fact("refused")) == (300, 100)
        assert (store.fact("design"), store.fact("seed")) == ("stratified", 0)
        assert sum(store.fact("bands")) == 300


def test_it_stays_the_same_on_return_and_with_the_same_seed(root: Path, tmp_path: Path) -> None:
    with opened(root) as store:
        first = sampled(store)
    with opened(root) as store:
        assert sampled(store) == first
    with opened(root, wanted=Wanted(accepted=50)) as store:  # fewer: those that are there stay
        assert sampled(store) == first
    write_set(tmp_path / "twin", plain(100, refused_each=1), reports_per_part=30)
    with opened(tmp_path / "twin") as store:
        assert sampled(store) == first
    write_set(tmp_path / "other", plain(100, refused_each=1), reports_per_part=30)
    with opened(tmp_path / "other", wanted=Wanted(seed=1)) as store:
        assert sampled(store) != first


def test_it_grows_and_keeps_what_was_drawn(root: Path) -> None:
    with opened(root, wanted=Wanted(accepted=40)) as store:
        first = sampled(store)
        texts = store.value("SELECT count(*) FROM report")
    with opened(root, wanted=Wanted(accepted=200, refused=30)) as store:
        assert sampled(store)[:40] == first
        assert (store.sample_size("accepted"), store.sample_size("refused")) == (200, 30)
        assert len({row[1:4] for row in sampled(store)}) == 230
        assert store.value("SELECT count(*) FROM report") > texts
        kinds = "".join(row[1][0] for row in sampled(store)[40:])
        assert "ar" in kinds and "ra" in kinds  # in random order


def test_more_than_there_is_takes_all(root: Path) -> None:
    with opened(root, wanted=Wanted(accepted=10_000, refused=10_000)) as store:
        assert (store.sample_size("accepted"), store.sample_size("refused")) == (300, 100)
        assert sorted(store.drawn("refused")) == [
            Place(part, row) for part, size in enumerate((30, 30, 30, 10)) for row in range(size)
        ]


def test_each_item_is_the_row_that_the_set_has(root: Path) -> None:
    import pyarrow.parquet as pq

    with opened(root, wanted=Wanted(accepted=60, refused=20)) as store:
        rows = store.rows("""SELECT report_id, text, caption.* FROM item JOIN caption ON caption.id = item.caption
                             JOIN report ON report.id = report""")
        names = [column[0] for column in store.base.execute("SELECT * FROM caption").description]
        for report_id, text, *values in rows:
            found = dict(zip(names, values, strict=True))
            table = "captions" if found["kind"] == "accepted" else "rejects"
            path = root / table / f"part-{found['part']:05d}.parquet"
            row = pq.read_table(path).slice(found["row"], 1).to_pylist()[0]
            assert row["report_id"] == report_id
            for name in row.keys() & found.keys():
                assert row[name] == found[name], name
            if found["kind"] == "accepted":
                assert text[found["evidence_start"] : found["evidence_end"]] == row["evidence"]


def test_all_captions_of_a_sampled_report_are_there_once(root: Path) -> None:
    with opened(root, wanted=Wanted(accepted=30)) as store:
        counts = store.rows("SELECT count(*) FROM caption GROUP BY report")
        assert {count for (count,) in counts} == {4}
    with opened(root, wanted=Wanted(accepted=300)) as store:
        assert store.value("SELECT count(*) FROM caption") == 400


@pytest.mark.parametrize("other", [Wanted(seed=5), Wanted(design="random")])
def test_another_design_or_seed_is_told(root: Path, other: Wanted) -> None:
    with opened(root, wanted=Wanted(seed=4)):
        pass
    with opened(root, wanted=Wanted(seed=4, design="stratified")):
        pass
    with pytest.raises(SetError, match="--redraw"), opened(root, wanted=other):
        pass


def test_another_state_of_the_set_is_told_and_nothing_is_lost(root: Path) -> None:
    with opened(root) as store:
        before = sampled(store)
    manifest = load_manifest(root)
    settings = manifest.settings.model_copy(update={"lexicon": "another"})
    manifest.model_copy(update={"settings": settings}).save(root)
    with pytest.raises(SetError, match=r"has changed since its sample was drawn .*--redraw"), opened(root):
        pass
    manifest.model_copy(update={"license": "mit"}).save(root)  # that changes no row
    with opened(root) as store:
        assert sampled(store) == before


def test_a_set_without_captions(tmp_path: Path) -> None:
    write_set(tmp_path / "set", [(report(1, "Nothing."), [], [])])
    with pytest.raises(InputError, match="no caption to review"), opened(tmp_path / "set"):
        pass


def test_refused_captions_alone_can_be_reviewed(tmp_path: Path) -> None:
    write_set(
        tmp_path / "set",
        [(report(1, "Nothing."), [], [RefusedCaption("liver", "Large liver", "negation", "no", None)])],
    )
    with opened(tmp_path / "set", wanted=Wanted(refused=5)) as store:
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
    with opened(root) as store:
        whole = sampled(store)
    for after in range(12):
        path = tmp_path / f"{after}.sqlite"
        store = Store(path, new=True)
        with pytest.raises(Interrupted):
            draw_sample(root, manifest, store, Wanted(), Stops(after))
        assert store.value("SELECT count(*) FROM item") == 0 and store.fact("set") is None
        draw_sample(root, manifest, store, Wanted(), Progress())
        assert sampled(store) == whole
        store.close()


def test_what_is_asked_is_checked() -> None:
    assert wanted(5, None, "random", 3) == Wanted(5, None, "random", 3)
    with pytest.raises(InputError, match="--design magic: there are stratified and random"):
        wanted(None, None, "magic", None)
