"""ONNX models of tiny segmenters: the same logits as torch's, and a JSON that suffices to segment without torch."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from typer.testing import CliRunner, Result

from curation.runtime.errors import RunError
from models.checkpoint import load_checkpoint
from models.connectors import CONNECTORS
from models.segmenter import EXTRA_EVIDENCE, MaskStatistics, Segmentation, TextSegmenter
from ovct import app
from tests.models.tiny import volume
from tests.train.inference.segment_cases import tiny_checkpoint
from train.export import onnx_model
from train.export.onnx_record import OnnxCheck

pytestmark = pytest.mark.usefixtures("one_thread")

PATCH = (32, 32, 64)


def export(checkpoint: Path, out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["export", "onnx", str(checkpoint), "--out", str(out), *arguments])


@pytest.fixture(scope="module", params=["mlp", "cross_attention", "several queries and known words"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A checkpoint and its export."""
    folder = tmp_path_factory.mktemp("onnx")
    if request.param in CONNECTORS:
        checkpoint = tiny_checkpoint(folder, request.param, patch=list(PATCH))
    else:
        checkpoint = tiny_checkpoint(folder, queries=3, known=["left kidney", "spleen"], patch=list(PATCH))
    out = folder / "model"
    result = export(checkpoint, out, "--prompt", "left kidney", "--prompt", "liver", "--prompt", "no such organ")
    assert result.exit_code == 0, result.output
    assert "opset 20" in result.stdout and "with 3 prompts" in result.stdout and "differ from torch's" in result.stdout
    return checkpoint, out


def test_logits_are_those_of_torch_for_any_number_of_prompts(exported: tuple[Path, Path]) -> None:
    checkpoint, out = exported
    model = load_checkpoint(checkpoint).model
    assert isinstance(model, TextSegmenter)
    session = onnxruntime.InferenceSession(str(out / "segmenter.onnx"), providers=["CPUExecutionProvider"])
    window = volume(1, *PATCH, seed=7)
    for prompts in (1, 2, 5):
        texts = ["spleen", "aorta", "left lung", "a bone", "x"][:prompts]
        with torch.no_grad():
            embeddings = model.embed(texts)
            expected = model(window, embeddings, full=True)
            features = model.image_features(window).levels[0]
        assert isinstance(expected, Segmentation)
        logits, presence, finest = session.run(None, {"volume": window.numpy(), "prompts": embeddings.numpy()})
        assert logits.shape == (1, prompts, *PATCH) and presence.shape == (1, prompts)
        bound = 1e-4 * max(1.0, float(expected.logits[0].abs().max()))
        assert np.abs(logits - expected.logits[0].numpy()).max() < bound
        assert np.abs(presence - expected.presence.numpy()).max() < bound
        assert np.abs(finest - features.numpy()).max() < bound


def test_the_json_suffices_to_ask_named_prompts_and_to_judge_presence(exported: tuple[Path, Path]) -> None:
    checkpoint, out = exported
    record = json.loads((out / "segmenter.json").read_text())
    model = load_checkpoint(checkpoint).model
    assert isinstance(model, TextSegmenter) and model.text is not None
    assert record["window"] == list(PATCH) and record["preprocessing"]["spacing_mm"] == [2, 2, 2]
    assert record["preprocessing"]["normalisation"] == "zscore" and record["lowest_hu"] == -1024
    assert [prompt["asked"] for prompt in record["prompts"]] == [["left kidney"], ["liver"], ["no such organ"]]
    texts = record["texts"]
    embeddings = np.array([texts[text]["embedding"] for text in texts], np.float32)
    assert np.abs(embeddings - model.text.encode(list(texts)).numpy()).max() < 1e-6
    # As a program without torch does it: evidence in the mask, then the query of the text.
    session = onnxruntime.InferenceSession(str(out / "segmenter.onnx"), providers=["CPUExecutionProvider"])
    window = volume(1, *PATCH, seed=3).numpy()
    logits, presence, features = session.run(None, {"volume": window, "prompts": embeddings})
    evidence = MaskStatistics.of(torch.from_numpy(logits), torch.from_numpy(features)).evidence()[0].numpy()
    for number, text in enumerate(texts):
        query = texts[text]["presence"]
        assert len(query["vector"]) == features.shape[1] + EXTRA_EVIDENCE
        judged = query["scale"] * np.dot(query["vector"], evidence[number]) + query["bias"]
        judged = judged if query["limit"] is None else min(judged, query["limit"])
        assert judged == pytest.approx(presence[0, number], abs=1e-3)
    limits = [texts[text]["presence"]["limit"] for text in ("left kidney", "liver")]
    if model.connector.known is None:
        assert limits == [None, None]
    else:
        expected = model.connector.known.limit(model.text.encode(["left kidney", "liver"])).tolist()
        assert limits == pytest.approx(expected, abs=1e-2) and limits[0] > limits[1]


def test_other_checkpoints_and_a_missing_package_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exported: tuple[Path, Path]
) -> None:
    checkpoint, out = exported
    again = export(checkpoint, out)
    assert again.exit_code == 2 and "is there already" in again.stderr
    nothing = export(tmp_path, tmp_path / "out")
    assert nothing.exit_code == 2 and "a checkpoint is a folder that holds checkpoint.json" in nothing.stderr
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    missing = export(checkpoint, tmp_path / "out")
    assert missing.exit_code == 2 and "pip install '.[onnx]'" in missing.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("difference", "fits"), [(5e-4, True), (2e-3, False), (float("nan"), False)])
def test_a_model_with_other_logits_is_not_written(difference: float, fits: bool) -> None:
    check = OnnxCheck(onnxruntime="1", torch="2", largest_difference=difference, largest=10.0)
    if fits:
        assert onnx_model._raise_if_far(check) is check
    else:
        with pytest.raises(RunError, match="nothing was written"):
            onnx_model._raise_if_far(check)
