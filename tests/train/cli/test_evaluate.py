import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import JsonValue
from typer.testing import CliRunner

from models.checkpoint import save_checkpoint
from models.preprocessing import Preprocessing
from models.segmenter import TextSegmenter
from models.stunet import STUNet
from models.text import TextEncoder
from ovct import app
from tests.json_schemas import checked
from tests.models.encoders import tiny_encoder
from tests.train.evaluation.evaluations import PLACES, STRUCTURE_PROMPTS, data_set
from train.inference.options import SegmentOptions
from train.inference.segmenting import segment

pytestmark = pytest.mark.usefixtures("one_thread")
PREPROCESSING = Preprocessing(spacing_mm=(1.5, 1.5, 1.5), orientation="SAR", normalisation="zscore")
NAMES = [STRUCTURE_PROMPTS.names[name] for name in PLACES]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluate") / "set"
    data_set(root, {"s1": tuple(PLACES), "s2": ("liver",)})
    return root


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    text = TextEncoder.from_pretrained(tiny_encoder(folder / "text"))
    made = []
    for seed, name in enumerate(("first", "second")):
        torch.manual_seed(seed)
        model = TextSegmenter(STUNet("tiny"), text, "mlp", hidden=32, levels=1).eval()
        record: dict[str, JsonValue] = {"prompts": STRUCTURE_PROMPTS.to_json(), "patch": [16, 16, 32]}
        save_checkpoint(model, folder / name, PREPROCESSING, trained_on=[record])
        made.append(folder / name)
    return made


def call(*arguments: str | Path, exits: int = 0) -> str:
    done = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    assert done.exit_code == exits, done.output
    return done.output


def test_a_checkpoint_is_evaluated_as_segment_would_segment(
    data: Path, checkpoints: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    output = call(data, "--checkpoint", checkpoints[0], "--out", out, "--presence-threshold", "0", "--device", "cpu")
    assert "Overall" in output and "report.html" in output
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["cases"], summary["split"], summary["known"], summary["left_out"]) == (2, "all", True, [])
    assert {one["key"] for one in summary["means"]} >= {"names", "synonyms", "lost", "groups"}
    rows = json.loads((out / "cases.jsonl").read_text().partition("\n")[0])["rows"]
    options = SegmentOptions(presence_threshold=0, device="cpu")
    result = segment(data / "s1" / "ct.nii.gz", NAMES, checkpoints[0], options)
    for structure, prompt in zip(PLACES, NAMES, strict=True):
        row = next(row for row in rows if row["prompt"] == prompt)
        mask = result.mask(prompt)
        # Beside other prompts the last bit of a product may differ, and with it a voxel at the threshold.
        assert row["predicted_ml"] == pytest.approx(np.count_nonzero(mask) * 1.5**3 / 1000, abs=2.5 * 1.5**3 / 1000)
        first = PLACES[structure]
        common = mask[tuple(slice(start, start + 6) for start in first)].sum()
        assert row["dice"] == pytest.approx(2 * common / (np.count_nonzero(mask) + 216), rel=2e-2)
    # Again: nothing to do, and the same numbers.
    before = (out / "cases.jsonl").read_bytes()
    call(data, "--checkpoint", checkpoints[0], "--out", out, "--presence-threshold", "0", "--device", "cpu")
    assert (out / "cases.jsonl").read_bytes() == before
    again = json.loads((out / "summary.json").read_text())
    assert again["means"] == summary["means"]
    # Other settings do not mix.
    output = call(data, "--checkpoint", checkpoints[0], "--out", out, "--device", "cpu", exits=2)
    assert "other settings" in output


def test_what_was_looked_for_is_told_and_does_not_mix(data: Path, checkpoints: list[Path], tmp_path: Path) -> None:
    root, out = tmp_path / "set", tmp_path / "out"
    shutil.copytree(data, root)
    words: list[str | Path] = [
        root,
        "--checkpoint",
        checkpoints[0],
        "--out",
        out,
        "--presence-threshold",
        "0",
        "--device",
        "cpu",
    ]
    (root / "labelled.json").write_text(json.dumps({"s1": ["liver", "spleen"], "*": ["liver"]}))
    told = " ".join(call(*words).split())
    assert "structures in 2 evaluated cases" in told and "labelled in 1, present in 1: spleen" in told
    rows = [json.loads(line)["rows"] for line in (out / "cases.jsonl").read_text().splitlines()]
    sought = [{row["subject"] for row in of_case if row["kind"] != "nonsense"} for of_case in rows]
    assert sought == [{"liver", "spleen"}, {"liver"}]
    (root / "labelled.json").write_text(json.dumps(["liver"]))
    told = " ".join(call(*words, exits=2).split())
    assert "other structures that count as looked for in its cases (--labelled file)" in told
    assert "labelled in 2, present in 1: spleen" in " ".join(call(*words, "--overwrite", "--labelled", "all").split())
    (root / "labelled.json").write_text(json.dumps({"s9": ["liver"]}))
    assert "has no case 's9'" in " ".join(call(*words, "--overwrite", exits=2).split())


def test_two_are_compared(data: Path, checkpoints: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "both"
    options = ("--presence-threshold", "0", "--limit", "1", "--device", "cpu")
    call(data, "--compare", *checkpoints, "--out", out, *options)
    comparison = json.loads((out / "comparison.json").read_text())
    assert (comparison["first"], comparison["second"], comparison["cases"]) == ("first", "second", 1)
    assert (out / "first" / "report.html").exists() and (out / "comparison.html").exists()
    # The finished folders do as well, without the data.
    call("--compare", out / "second", out / "first", "--out", tmp_path / "again")
    back = json.loads((tmp_path / "again" / "comparison.json").read_text())
    assert back["means"][0]["difference"]["dice"]["value"] == pytest.approx(
        -comparison["means"][0]["difference"]["dice"]["value"]
    )


def test_wrong_calls_are_told(data: Path, checkpoints: list[Path], tmp_path: Path) -> None:
    assert "DATASET and --checkpoint" in call(exits=2)
    assert "--compare A B names both" in call("--compare", "a", "b", "--checkpoint", "c", exits=2)
    assert "name the DATASET" in call("--compare", *checkpoints, "--out", tmp_path / "c", exits=2)
    assert "nowhere" in call(tmp_path / "nowhere", "--checkpoint", checkpoints[0], exits=2)
    assert "checkpoint.json" in call(data, "--checkpoint", tmp_path, "--out", tmp_path / "d", exits=2)
    assert "--split" in call(data, "--checkpoint", checkpoints[0], "--split", "best", exits=2)
    assert "--precision half" in call(data, "--checkpoint", checkpoints[0], "--precision", "half", exits=2)
    assert "--device nothing" in call(data, "--checkpoint", checkpoints[0], "--device", "nothing", exits=2)
    encoder = tmp_path / "stunet"
    save_checkpoint(STUNet("tiny", num_classes=3), encoder, PREPROCESSING)
    assert "train segment" in call(data, "--checkpoint", encoder, "--out", tmp_path / "e", exits=2)


def test_no_case_at_all_is_a_failure(checkpoints: list[Path], tmp_path: Path) -> None:
    data_set(tmp_path / "set", {"s1": ("liver",)})
    path = tmp_path / "set" / "s1" / "ct.nii.gz"
    path.write_bytes(path.read_bytes()[:300])
    output = call(
        tmp_path / "set", "--checkpoint", checkpoints[0], "--out", tmp_path / "out", "--device", "cpu", exits=1
    )
    assert "none of 1 cases" in output and "ct.nii.gz" in output


def test_the_results_are_one_json_object(data: Path, checkpoints: list[Path], tmp_path: Path) -> None:
    folders = [tmp_path / checkpoint.name for checkpoint in checkpoints]
    for checkpoint, folder in zip(checkpoints, folders, strict=True):
        arguments = ["evaluate", str(data), "--checkpoint", str(checkpoint), "--out", str(folder), "--device", "cpu"]
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code == 0, done.output
        assert checked("evaluate", done.stdout) == json.loads((folder / "summary.json").read_text())
    arguments = ["evaluate", "--compare", *map(str, folders), "--out", str(tmp_path / "both"), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert checked("evaluate-compare", done.stdout) == json.loads((tmp_path / "both" / "comparison.json").read_text())
