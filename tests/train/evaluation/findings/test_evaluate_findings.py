"""`ovct evaluate --findings` from the command line, on tiny volumes and an aligner that was never trained."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from models.aligner import Aligner
from models.checkpoint import load_checkpoint, save_checkpoint
from models.pooling import RANGES, Pooling
from models.text import TextEncoder
from ovct import app
from tests.json_schemas import checked
from tests.train.training_worlds import PATCH, PREPROCESSING, World, make_world
from train.alignment.pooled_volumes import DIGEST_BYTES, pool_volume, read_volume
from train.data.dataset import open_dataset

pytestmark = pytest.mark.usefixtures("one_thread")
LABELS = "VolumeName,Hepatomegaly,Splenomegaly,Lymphadenopathy\n" + "".join(
    f"s{number}.nii.gz,{number % 2},{int(number < 2)},0\n" for number in range(6)
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("findings"))


@pytest.fixture(scope="module")
def aligned(world: World) -> Path:
    (world.root / "labels.csv").write_text(LABELS)
    return untrained(world, "structures_hu", world.root / "aligned")


def untrained(world: World, pooling: Pooling, folder: Path) -> Path:
    """Write a checkpoint of an aligner that has learned nothing."""
    image, _ = load_checkpoint(world.image)
    torch.manual_seed(1)
    text = TextEncoder.from_pretrained(world.encoder)
    model = Aligner(image, text, pooling=pooling, mgcl="organ")  # type: ignore[arg-type]
    record = {"stage": "align", "data": [{"volumes": str(world.data)}], "options": {"window": list(PATCH)}}
    save_checkpoint(model, folder, PREPROCESSING, trained_on=[record])  # type: ignore[list-item]
    return folder


def call(*arguments: str | Path, exits: int = 0) -> str:
    done = CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--device", "cpu", "--precision", "float32"])
    assert done.exit_code == exits, done.output
    return re.sub(r"\s+", " ", done.output)


def test_each_finding_is_scored_by_its_organ_s_part(world: World, aligned: Path, tmp_path: Path) -> None:
    labels, out = world.root / "labels.csv", tmp_path / "out"
    output = call(world.data, "--checkpoint", aligned, "--findings", labels, "--split", "all", "--out", out)
    assert "Mean AUC of 2 findings" in output and "findings.json" in output and "Training has seen 5" in output
    summary = json.loads((out / "findings.json").read_text())
    assert summary["mgcl"] == "organ" and summary["cases"] == 6 and summary["split"] == "all"
    by_name = {result["finding"]: result for result in summary["findings"]}
    assert by_name["Hepatomegaly"]["read_from"] == ["liver"] and by_name["Splenomegaly"]["read_from"] == ["spleen"]
    assert by_name["Lymphadenopathy"]["read_from"] == [] and by_name["Lymphadenopathy"]["auc"]["value"] is None
    assert (by_name["Splenomegaly"]["positive"], by_name["Splenomegaly"]["negative"]) == (2, 4)
    # The score of a case, computed by itself.
    model, record = load_checkpoint(aligned)
    assert isinstance(model, Aligner) and model.image.labels is not None
    case = next(case for case in open_dataset(world.data).cases if case.id == "s3")
    with torch.no_grad():
        vector = (
            pool_volume(model, read_volume(case, record.preprocessing, hounsfield=True).volume, PATCH).half().float()
        )
        mask = torch.tensor([[name == "liver" for name in model.image.labels]])
        image = model.embed_organs(vector[None], mask)[0, 0]
        texts = model.text.encode(["The liver is enlarged", "The liver is normal in size"])
        expected = (model.log_scale.exp() * texts @ image).softmax(dim=0)[0]
    rows = [line.split(",") for line in (out / "scores.csv").read_text().splitlines()]
    place = rows[0].index("Hepatomegaly")
    assert float(next(row[place] for row in rows if row[0] == "s3")) == pytest.approx(float(expected), abs=1e-4)


def test_a_checkpoint_is_scored_with_the_pooling_that_it_was_made_with(
    world: World, aligned: Path, tmp_path: Path
) -> None:
    earlier = untrained(world, "structures", tmp_path / "earlier")
    labels, lengths = world.root / "labels.csv", []
    for checkpoint in (aligned, earlier):
        out = tmp_path / f"out-{checkpoint.name}"
        call(world.data, "--checkpoint", checkpoint, "--findings", labels, "--split", "all", "--out", out)
        kept = next(out.rglob("*.npy"))
        lengths.append(len(np.frombuffer(kept.read_bytes()[128:-DIGEST_BYTES], np.float16)))
    assert lengths[0] - lengths[1] == 5 * 2 * RANGES  # of five classes


def test_vectors_are_kept_and_results_are_not_replaced_unasked(world: World, aligned: Path, tmp_path: Path) -> None:
    labels, out = world.root / "labels.csv", tmp_path / "out"
    arguments = (world.data, "--checkpoint", aligned, "--findings", labels, "--split", "all", "--out", out)
    first = call(*arguments, "--json", "--quiet")
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*.npy")}
    assert len(kept) == 6
    assert "holds finished results; --overwrite replaces them" in call(*arguments, exits=2)
    assert call(*arguments, "--json", "--quiet", "--overwrite") == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.npy")} == kept
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    assert "mine.txt" in call(*arguments[:-1], tmp_path / "other", exits=2)


def test_vectors_of_the_alignment_s_cache_are_taken(world: World, aligned: Path, tmp_path: Path) -> None:
    labels, cache = world.root / "labels.csv", tmp_path / "cache"
    arguments = (world.data, "--checkpoint", aligned, "--findings", labels, "--split", "all", "--cache", cache)
    first = call(*arguments, "--out", tmp_path / "first", "--json", "--quiet")
    kept = {path: path.stat().st_mtime_ns for path in (cache / "pooled").rglob("*.npy")}
    assert len(kept) == 6 and not list((tmp_path / "first").rglob("*.npy"))
    assert call(*arguments, "--out", tmp_path / "second", "--json", "--quiet") == first
    assert {path: path.stat().st_mtime_ns for path in (cache / "pooled").rglob("*.npy")} == kept


def test_by_default_what_alignment_held_out(world: World, aligned: Path, tmp_path: Path) -> None:
    output = call(
        world.data, "--checkpoint", aligned, "--findings", world.root / "labels.csv", "--out", tmp_path, "--json"
    )
    summary = checked("evaluate-findings", output)
    assert summary["split"] == "val and test" and summary["cases"] == 1


def test_a_model_without_parts_reads_from_the_whole(world: World, aligned: Path, tmp_path: Path) -> None:
    output = call(
        world.data, "--checkpoint", world.aligner, "--findings", world.root / "labels.csv", "--split", "all",
        "--out", tmp_path, "--json", "--quiet",
    )  # fmt: skip
    summary = json.loads(output)
    assert summary["mgcl"] == "volume" and all(result["read_from"] == [] for result in summary["findings"])


def test_bad_calls_end_with_2(world: World, aligned: Path, tmp_path: Path) -> None:
    labels = world.root / "labels.csv"
    given = (world.data, "--checkpoint", aligned, "--out", tmp_path / "out", "--split", "all")
    short = tmp_path / "short.csv"
    short.write_text(LABELS.rpartition("s5")[0])
    assert "no row for 1 of 6 cases, the first is 's5'" in call(*given, "--findings", short, exits=2)
    short.write_text(LABELS.replace("s3.nii.gz,1", "s3.nii.gz,yes"))
    assert "row 5, column 'Hepatomegaly': 'yes' is neither 0 nor 1" in call(*given, "--findings", short, exits=2)
    assert "checkpoint of `ovct train align`" in call(
        world.data, "--checkpoint", world.image, "--findings", labels, "--out", tmp_path / "out", exits=2
    )
    assert "needs DATASET and --checkpoint" in call(world.data, "--findings", labels, exits=2)
    assert "name the labels with --findings" in call(*given, "--finding-prompts", labels, exits=2)
    assert "no --compare" in call("--compare", "a", "b", "--findings", labels, exits=2)
    assert not (tmp_path / "out").exists()


def test_a_volume_that_cannot_be_read_is_named_and_left_out(aligned: Path, tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    broken = world.data / "s2" / "ct.nii.gz"
    broken.write_bytes(broken.read_bytes()[:3000])
    (tmp_path / "labels.csv").write_text(LABELS)
    output = call(
        world.data, "--checkpoint", aligned, "--findings", tmp_path / "labels.csv", "--split", "all",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert "left out: s2" in output and "1 volumes were left out" in output and "5 cases" in output
