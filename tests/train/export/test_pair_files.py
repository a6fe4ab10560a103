"""Image-caption pairs in the forms of other trainers, read back by their own rules."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import webdataset
from typer.testing import CliRunner

import ovct
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress
from prompts.vocabulary import load_vocabulary
from tests.train.data.data_files import caption_set, hounsfield, save
from train.data.caption_pairs import read_pairs
from train.data.cases import DataError
from train.data.dataset import open_dataset
from train.export.fvlm_organs import NAMES, fvlm_organs
from train.export.pair_files import Exported, PairExport, export_pairs
from train.export.tar_shards import Sample, shards_of, write_shard


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A caption set of four reports and the volumes of three of them; one scan has two reconstructions."""
    root = tmp_path_factory.mktemp("pairs")
    for seed, name in enumerate(("train_1_a_1", "train_1_a_2", "train_2_a_1", "valid_3_a_1")):
        folder = root / "v" / name.split("_")[0] / name.rsplit("_", 2)[0] / name.rsplit("_", 1)[0]
        save(folder / f"{name}.nii.gz", hounsfield(seed))
    rows = (["train_1_a_1.nii.gz"], ["train_1_a_2.nii.gz"], ["train_2_a_1.nii.gz"], ["train_9_a_1.nii.gz"])
    captions = caption_set(root, ["VolumeName"], *rows)
    return captions, root / "v"


def export(world: tuple[Path, Path], out: Path, form: str, **options: Any) -> Exported:
    return export_pairs(PairExport(world[0], world[1], out, form, **options), Progress())


def expected(world: tuple[Path, Path]) -> list[tuple[str, str, str, str]]:
    pairs = read_pairs(world[0], open_dataset(world[1])).pairs
    return [(str(pair.case.image), *caption) for pair in pairs for caption in pair.captions]


def test_jsonl_has_a_line_for_each_caption(world: tuple[Path, Path], tmp_path: Path) -> None:
    done = export(world, tmp_path / "out", "jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()]
    found = [(row["image"], row["organ"], row["caption"], row["status"]) for row in rows]
    assert found == expected(world) and len(rows) == done.texts and (done.pairs, done.volumes) == (3, 3)
    first = rows[0]
    assert (first["report_id"], first["volume"], first["scan"], first["patient"], first["split"]) == (
        "train_1_a_1.nii.gz", "train_1_a_1", "train_1_a", "train_1", "train",
    )  # fmt: skip
    assert first["section"] == "findings" and Path(first["image"]).is_file()
    assert (tmp_path / "out" / "pairs.jsonl").stat().st_mode & 0o077 == 0


def test_the_report_may_be_the_text(world: tuple[Path, Path], tmp_path: Path) -> None:
    done = export(world, tmp_path / "out", "jsonl", text="report")
    rows = [json.loads(line) for line in (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()]
    assert len(rows) == done.texts == 3 and all("Spleen" in row["caption"] and "organ" not in row for row in rows)


def test_csv_is_read_by_the_defaults_of_open_clip(world: tuple[Path, Path], tmp_path: Path) -> None:
    import pandas as pd

    export(world, tmp_path / "out", "csv")
    table = pd.read_csv(tmp_path / "out" / "pairs.csv", sep="\t")
    texts = {(image, caption) for image, _, caption, _ in expected(world)}
    assert list(table.columns) == ["filepath", "title"]
    assert set(zip(table["filepath"], table["title"], strict=True)) == texts


def test_hlip_finds_scans_and_their_volumes(world: tuple[Path, Path], tmp_path: Path) -> None:
    export(world, tmp_path / "out", "hlip")
    scans = json.loads((tmp_path / "out" / "pairs.json").read_text())
    assert scans.keys() == {"train_1_a", "train_2_a"}
    assert scans["train_1_a"]["recons"] == ["train_1_a_1.nii.gz", "train_1_a_2.nii.gz"]
    # HLIP: root / scan without its last part / scan / volume without its two endings.
    root = world[1] / "train"
    for key, value in scans.items():
        for name in value["recons"]:
            assert (root / key.rsplit("_", 1)[0] / key / f"{name.rsplit('.', 2)[0]}.nii.gz").is_file()
        assert all(isinstance(text, str) and text for text in value["report"])
    again = read_pairs(tmp_path / "out" / "pairs.json", open_dataset(world[1]))
    assert {pair.case.scan for pair in again.pairs} == {"train_1_a", "train_2_a"}


def test_desc_info_has_the_organs_of_fvlm(world: tuple[Path, Path], tmp_path: Path) -> None:
    export(world, tmp_path / "out", "desc-info")
    described = json.loads((tmp_path / "out" / "desc_info.json").read_text())
    assert json.loads((tmp_path / "out" / "conc_info.json").read_text()) == {}
    assert described.keys() == {"train_1_a", "train_2_a"}
    organs = described["train_2_a"]
    assert {"liver", "kidney", "spleen", "pleura"} <= organs.keys() and "left kidney" not in organs
    assert "12 mm cyst" in organs["kidney"] and organs["kidney"].endswith(".")
    assert organs["spleen"].count(".") == 1 and described["train_1_a"]["liver"].count("liver") == 1


def test_impressions_stand_in_conc_info(tmp_path: Path) -> None:
    save(tmp_path / "v" / "a" / "ct.nii.gz", hounsfield())
    (tmp_path / "reports.csv").write_text(
        "VolumeName,Findings_EN,Impressions_EN\na/ct.nii.gz,The right lung is clear.,Cyst in the left lung.\n"
    )
    done = CliRunner().invoke(ovct.app, ["curate", str(tmp_path / "reports.csv"), "--out", str(tmp_path / "captions")])
    assert done.exit_code == 0, done.output
    export((tmp_path / "captions", tmp_path / "v"), tmp_path / "out", "desc-info")
    files = [json.loads((tmp_path / "out" / f"{name}_info.json").read_text()) for name in ("desc", "conc")]
    ((desc,), (conc,)) = (list(file.values()) for file in files)
    assert "right lung" in desc["lung"] and "left lung" in conc["lung"] and "right lung" not in conc["lung"]


def test_names_of_fvlm_are_organs_of_the_vocabulary() -> None:
    vocabulary = load_vocabulary()
    assert all(vocabulary.resolve(whole) == whole for whole in NAMES.values())
    names = fvlm_organs(vocabulary)
    assert names("right lower lobe") == names("left lung") == ["lung"] and names("aortic arch") == ["aorta"]
    assert names("urinary bladder") == ["urinary bladder"] and names("gizmo") == ["gizmo"]


# The reader of the package leaves its files to be closed by whoever collects them.
LEFT_OPEN = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def read_samples(folder: Path) -> list[dict[str, Any]]:
    paths = [str(path) for path in sorted(folder.glob("pairs-*.tar"))]
    return list(webdataset.WebDataset(paths, shardshuffle=False, empty_check=False))


@LEFT_OPEN
def test_webdataset_reads_volumes_as_they_are(world: tuple[Path, Path], tmp_path: Path) -> None:
    export(world, tmp_path / "out", "webdataset")
    samples = read_samples(tmp_path / "out")
    pairs = read_pairs(world[0], open_dataset(world[1])).pairs
    assert [sample["__key__"] for sample in samples] == [pair.case.id for pair in pairs]
    for sample, pair in zip(samples, pairs, strict=True):
        assert sample["nii.gz"] == pair.case.image.read_bytes()
        content = json.loads(sample["json"])
        assert content["report"] == pair.text and len(content["captions"]) == len(pair.captions)
        assert all(caption.caption in sample["txt"].decode() for caption in pair.captions)


@LEFT_OPEN
def test_shards_are_no_larger_than_asked_for_and_always_the_same(
    world: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.export.pair_files.MEGABYTE", 10_240)
    done = export(world, tmp_path / "one", "webdataset", shard_mb=1)
    sizes = [(tmp_path / "one" / name).stat().st_size for name in done.files]
    assert len(done.files) > 1 and all(size <= 10_240 for size in sizes) and len(read_samples(tmp_path / "one")) == 3
    export(world, tmp_path / "two", "webdataset", shard_mb=1)
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in done.files)
    with tarfile.open(tmp_path / "one" / done.files[0]) as tar:
        assert tar.getnames()[:3] == ["train_1_a_1.nii.gz", "train_1_a_1.txt", "train_1_a_1.json"]


def test_as_many_samples_as_fit_share_a_shard(tmp_path: Path) -> None:
    (tmp_path / "v.nii").write_bytes(b"x" * 100)
    samples = [Sample(f"s{number}", tmp_path / "v.nii", ".nii", {"txt": b"text"}) for number in range(9)]
    shards = list(shards_of(samples, 10_240))
    assert [len(shard) for shard in shards] == [4, 4, 1]  # 2,048 bytes each, and 1,024 at the end
    for number, shard in enumerate(shards):
        write_shard(tmp_path / f"{number}.tar", shard, lambda: None)
        assert (tmp_path / f"{number}.tar").stat().st_size == 10_240
    assert [len(shard) for shard in shards_of(samples, 1)] == [1] * 9


@LEFT_OPEN
def test_volumes_with_one_name_have_keys_of_their_own(tmp_path: Path) -> None:
    for folder in ("a.b", "a_b"):
        save(tmp_path / "v" / folder / "scan.nii.gz", hounsfield())
    captions = caption_set(tmp_path, ["image"], ["a.b/scan.nii.gz"], ["a_b/scan.nii.gz"], ["a_b/scan.nii.gz"])
    export((captions, tmp_path / "v"), tmp_path / "out", "webdataset")
    assert [one["__key__"] for one in read_samples(tmp_path / "out")] == ["a_b_scan", "a_b_scan-2", "a_b_scan-3"]


def test_what_is_there_stays(world: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty and holds no export of pairs"):
        export(world, tmp_path / "mine", "jsonl")
    export(world, tmp_path / "out", "webdataset")
    with pytest.raises(InputError, match="holds an export already"):
        export(world, tmp_path / "out", "jsonl")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    export(world, tmp_path / "out", "jsonl", overwrite=True)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {".ovct-files", "export.json", "notes.txt", "pairs.jsonl"}
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert (record["form"], record["pairs"], record["files"]) == ("jsonl", 3, ["pairs.jsonl"])


def test_stopped_on_the_way_it_begins_anew(world: tuple[Path, Path], tmp_path: Path) -> None:
    class Stopping(Progress):
        def raise_if_interrupted(self) -> None:
            raise Interrupted

    for form in ("jsonl", "webdataset"):
        with pytest.raises(Interrupted):
            export_pairs(PairExport(*world, tmp_path / form, form), Stopping())
        assert not list((tmp_path / form).glob("pairs*")) and not (tmp_path / form / "export.json").exists()
        export(world, tmp_path / form, form)


def test_wrong_calls(world: tuple[Path, Path], tmp_path: Path) -> None:
    for options, message in [
        ({"form": "xml"}, "--form xml: there are jsonl, csv, hlip, desc-info, webdataset"),
        ({"form": "csv", "text": "organs"}, "--text organs: there are captions, report"),
        ({"form": "desc-info", "text": "report"}, "desc-info has the texts of organs"),
    ]:
        with pytest.raises(InputError, match=message):
            export(world, tmp_path / "out", **options)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        export(world, tmp_path / "file", "csv")
    with pytest.raises(DataError, match="is not there"):
        export((tmp_path / "none", world[1]), tmp_path / "out", "csv")
    slices = tmp_path / "captions.json"
    (tmp_path / "v" / "series").mkdir(parents=True)
    slices.write_text(json.dumps({str(tmp_path / "v" / "series"): ["The liver is normal."]}))
    job = PairExport(slices, None, tmp_path / "out", "webdataset")
    with pytest.raises(DataError, match="is a folder of slices"):
        export_pairs(job, Progress())
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote(world: tuple[Path, Path], tmp_path: Path) -> None:
    arguments = ["export", "pairs", str(world[0]), "--volumes", str(world[1]), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(ovct.app, [*arguments, "--form", "csv"])
    assert done.exit_code == 0, done.output
    assert "pairs.csv, 3 volumes with" in done.output and "1 reports without a volume: train_9_a_1" in done.output
    again = CliRunner().invoke(ovct.app, [*arguments, "--form", "csv"])
    assert again.exit_code == 2 and "holds an export already" in again.output
