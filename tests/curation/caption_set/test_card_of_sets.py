"""The data cards of sets as they are made: licences, plots, replays, and what Hugging Face reads."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.caption_set.card import data_card
from curation.caption_set.manifest import (
    load_manifest,
)
from curation.pipeline import CurateJob, curate
from curation.replay import replay
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress
from tests.curation.caption_set.card_pages import call, front_matter, tables
from tests.curation.fakes import FakeChat, chat_recipe, fake_recipe, write_reports


@pytest.mark.parametrize("wrong", ["CC-BY-4.0", "", "a b", "x" * 65, "mit\n", "ä", "a_b"])
def test_what_can_be_no_licence_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match="expected the id") as told:
        CurateJob(Path("r.csv"), Path("out"), license=wrong)
    assert repr(wrong) in str(told.value) and "cc-by-nc-sa-4.0" in str(told.value)


def licence_of(root: Path) -> tuple[str | None, str]:
    return load_manifest(root).license, front_matter((root / "README.md").read_text())["license"]


def test_a_licence_can_be_stated_afterwards(tmp_path: Path) -> None:
    reports, out, log = write_reports(tmp_path / "r.csv", 5), tmp_path / "set", tmp_path / "log"
    job = CurateJob(reports, out, workers=1)
    curate(job, fake_recipe())
    assert licence_of(out) == (None, "unknown")
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*.parquet")}
    stated = curate(replace(job, license="cc-by-4.0"), fake_recipe(log))
    assert stated.already_done and stated.relicensed and stated.manifest.license == "cc-by-4.0"
    assert licence_of(out) == ("cc-by-4.0", "cc-by-4.0")
    for license in (None, "cc-by-4.0"):
        again = curate(replace(job, license=license), fake_recipe(log))
        assert again.already_done and not again.relicensed
    assert licence_of(out) == ("cc-by-4.0", "cc-by-4.0")
    assert not log.exists() and not (out / ".work").exists()
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*.parquet")} == before
    curate(replace(job, overwrite=True), fake_recipe())
    assert licence_of(out) == (None, "unknown")


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [("mit", None, "mit"), (None, "mit", "mit"), ("mit", "cc-by-4.0", "cc-by-4.0")],
)
@pytest.mark.parametrize("stopped_at", [1, 25])
def test_a_resumed_run_keeps_the_licence(
    tmp_path: Path, first: str | None, second: str | None, left: str, stopped_at: int
) -> None:
    class Stop(Progress):
        seen = 0

        def advance(self) -> None:
            self.seen += 1
            if self.seen == stopped_at:
                raise Interrupted

    reports = write_reports(tmp_path / "r.csv", 50)
    job = CurateJob(reports, tmp_path / "set", workers=1, reports_per_part=20, license=first)
    with pytest.raises(Interrupted):
        curate(job, fake_recipe(), Stop())
    curate(replace(job, license=second), fake_recipe())
    assert licence_of(job.out) == (left, left)


def test_the_command_takes_a_licence_and_draws_the_plot(tmp_path: Path, examples: Path) -> None:
    out = tmp_path / "set"
    command = ("curate", examples / "reports.csv", "--out", out, "--limit", 3)
    wrong = call(*command, "--license", "Some Licence")
    assert wrong.exit_code == 2 and "'Some Licence'" in wrong.stderr and "such as cc-by-nc-sa-4.0" in wrong.stderr
    assert not out.exists()
    done = call(*command)
    assert done.exit_code == 0, done.output
    plot = out / "captions.png"
    first = plot.read_bytes()
    assert first.startswith(b"\x89PNG")
    plot.write_bytes(b"mine")
    stated = call(*command, "--license", "apache-2.0")
    assert stated.exit_code == 0 and "names the licence apache-2.0" in stated.stderr
    assert stated.stdout == done.stdout
    assert licence_of(out) == ("apache-2.0", "apache-2.0")
    assert plot.read_bytes() == b"mine"
    plot.unlink()
    again = call(*command)
    assert again.exit_code == 0 and "nothing to do" in again.stderr
    assert plot.read_bytes() == first
    plot.unlink()
    plot.mkdir()
    (plot / "x").touch()
    failed = call(*command, "--overwrite")
    assert failed.exit_code == 2 and "captions.png" in failed.stderr and "Traceback" not in failed.stderr


def test_a_replayed_set_has_a_new_card(tmp_path: Path) -> None:
    job = CurateJob(write_reports(tmp_path / "r.csv", 4), tmp_path / "set", workers=1, license="mit")
    curate(job, chat_recipe(FakeChat()))
    card = (job.out / "README.md").read_text()
    assert "`responses`: what the model said" in card and "verified again" not in card
    manifest = replay(job.out)
    assert (job.out / "README.md").read_text() == data_card(manifest)
    assert "verified again" in data_card(manifest) and licence_of(job.out) == ("mit", "mit")


@pytest.fixture(scope="module")
def odd_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with refused captions, from a file and with columns that are called whatever they like."""
    folder = tmp_path_factory.mktemp("odd")
    reports = folder / "we \"must\" | 'quote'\n---\nthis.csv"
    rows = [f'r{number},"Liver {number} is normal. INVENT.",{number},b,c,d' for number in range(5)]
    reports.write_text('id,report,a|b,Sections,"two\nlines",`tick`\n' + "\n".join(rows) + "\n")
    curate(CurateJob(reports, folder / "set", workers=1), fake_recipe())
    return folder / "set"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("with_model", [False, True])
def test_hugging_face_reads_the_set(
    odd_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_model: bool
) -> None:
    """Without a network. Warnings are those of ``datasets`` itself."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    root, names = odd_set, ["captions", "rejects", "reports"]
    if with_model:
        root = tmp_path / "set"
        curate(CurateJob(write_reports(tmp_path / "r.csv", 4), root, workers=1), chat_recipe(FakeChat()))
        names = ["captions", "rejects", "reports", "responses"]
    assert [config["config_name"] for config in front_matter((root / "README.md").read_text())["configs"]] == names
    for name in [*names, None]:
        loaded = datasets.load_dataset(str(root), name, split="train", cache_dir=str(tmp_path / "cache"))
        stored = pq.read_table(root / (name or "captions"))
        assert loaded.num_rows == stored.num_rows > 0
        assert loaded.column_names == stored.column_names


def test_the_tables_of_an_odd_set_are_whole(odd_set: Path) -> None:
    card = (odd_set / "README.md").read_text()
    assert front_matter(card)["pretty_name"] == "Organ captions from we \"must\" | 'quote' --- this.csv"
    (reports,) = (rows for rows in tables(card) if rows[0] == ["column", "meaning"] and rows[2][0] == "text")
    assert reports[4:] == [
        ["a|b", "column a|b of the input"],
        ["source_Sections", "column Sections of the input"],
        ["two lines", "column two lines of the input"],
        ["`tick`", "column `tick` of the input"],
    ]
