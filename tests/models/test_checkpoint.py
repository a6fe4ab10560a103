"""Checkpoints: what is saved comes back exactly, what is missing is named, and nothing is unpickled."""

import json
import os
import pickle
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from models.aligner import Aligner
from models.checkpoint import CheckpointError, load_checkpoint, read_record, save_checkpoint
from models.pooling import Mgcl
from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from models.prompt_handling import PromptHandling
from models.segmenter import TextSegmenter
from models.stunet import STUNet
from models.text import TextEncoder
from models.weights_file import digest_of
from tests.models.encoders import tiny_encoder
from tests.models.tiny import embeddings, segmenter, volume

PROMPTS = ["left kidney", "Renal organ", "right lower lobe"]
HANDLING = PromptHandling("a CT of the {}", lower_case=True, max_length=20)


@pytest.fixture(scope="module")
def encoder_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def text(encoder_directory: Path) -> TextEncoder:
    return TextEncoder.from_pretrained(encoder_directory, HANDLING)


def assert_close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    """Compare to the last digits: where weights lie in memory may decide which kernel multiplies them."""
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def same_weights(model: nn.Module, reference: nn.Module) -> bool:
    state, expected = model.state_dict(), reference.state_dict()
    return state.keys() == expected.keys() and all(torch.equal(state[name], expected[name]) for name in state)


def with_text(text: TextEncoder, connector: str = "mlp", queries: int = 1) -> TextSegmenter:
    torch.manual_seed(3)
    network = STUNet("tiny-deep")
    return TextSegmenter(network, text, connector, hidden=32, levels=2, queries_per_prompt=queries).eval()


@pytest.mark.parametrize(("connector", "queries"), [("mlp", 1), ("mlp", 4), ("cross_attention", 2)])
def test_a_segmenter_comes_back_exactly(tmp_path: Path, text: TextEncoder, connector: str, queries: int) -> None:
    model = with_text(text, connector, queries).freeze("segment")
    save_checkpoint(model, tmp_path / "run", PUBLISHED_PREPROCESSING, trained_on=[{"dataset": "phantoms", "steps": 3}])
    loaded, record = load_checkpoint(tmp_path / "run")
    assert isinstance(loaded, TextSegmenter) and not loaded.training
    x = volume(1, 32, 32, 64)
    with torch.no_grad():
        assert_close(loaded(x, PROMPTS), model(x, PROMPTS))
    assert same_weights(loaded, model)
    assert loaded.text is not None and loaded.text.handling == HANDLING
    assert record.preprocessing == PUBLISHED_PREPROCESSING
    assert (record.stage, record.trained_on) == ("segment", ({"dataset": "phantoms", "steps": 3},))
    assert record.torch == torch.__version__ and record.ovct
    assert record.commit is None or len(record.commit.removesuffix("-dirty")) == 40


def test_an_aligner_comes_back_exactly(tmp_path: Path, text: TextEncoder) -> None:
    torch.manual_seed(3)
    model = Aligner(STUNet("tiny"), text, pooling="max").eval()
    with torch.no_grad():
        model.log_scale.fill_(3.0)
    save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    loaded, record = load_checkpoint(tmp_path)
    assert isinstance(loaded, Aligner) and record.pooling == "max"
    pooled = loaded.pool(volume(2, 32, 32, 64))
    for actual, expected in zip(loaded(pooled, PROMPTS), model(pooled, PROMPTS), strict=True):
        assert_close(actual, expected)
    assert same_weights(loaded, model)
    assert loaded.log_scale.item() == 3.0


@pytest.mark.parametrize("mgcl", ["organ", "volume"])
def test_what_captions_are_held_against_is_recorded(tmp_path: Path, text: TextEncoder, mgcl: Mgcl) -> None:
    model = Aligner(STUNet("tiny", num_classes=3), text, pooling="structures", mgcl=mgcl).eval()
    save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    loaded, record = load_checkpoint(tmp_path)
    assert isinstance(loaded, Aligner) and record.mgcl == loaded.mgcl == mgcl and same_weights(loaded, model)
    assert (loaded.organ_projection is not None) == (mgcl == "organ")


def test_an_aligner_of_an_earlier_version_has_no_parts_by_organ(tmp_path: Path, text: TextEncoder) -> None:
    save_checkpoint(Aligner(STUNet("tiny"), text).eval(), tmp_path, PUBLISHED_PREPROCESSING)
    fields = json.loads((tmp_path / "checkpoint.json").read_text())
    del fields["mgcl"], fields["sha256"]
    (tmp_path / "checkpoint.json").write_text(json.dumps(fields))
    loaded, record = load_checkpoint(tmp_path)
    assert isinstance(loaded, Aligner) and loaded.mgcl == "volume" and record.mgcl is None


def test_a_pretrained_network_comes_back_with_its_labels(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = STUNet("tiny", 2, 3, labels=["background", "liver", "spleen"]).eval()
    model.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    preprocessing = Preprocessing(
        spacing_mm=(3, 1.5, 1.5), orientation="LPS", normalisation="window", hu_window=(-1000, 1000)
    )
    save_checkpoint(model, tmp_path, preprocessing)
    loaded, record = load_checkpoint(tmp_path)
    assert isinstance(loaded, STUNet) and loaded.labels == ("background", "liver", "spleen")
    assert record.preprocessing == preprocessing
    x = volume(1, 32, 32, 64).expand(1, 2, -1, -1, -1)
    assert_close(loaded(x), model(x))
    assert all(parameter.requires_grad and parameter.is_contiguous() for parameter in loaded.parameters())


def test_a_later_save_replaces_the_earlier_one_and_keeps_the_text_encoder(tmp_path: Path, text: TextEncoder) -> None:
    model = with_text(text)
    first = save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    assert first.text is not None and first.text.directory is not None
    before = (tmp_path / first.text.directory / "config.json").stat().st_mtime_ns
    with torch.no_grad():
        next(model.connector.parameters()).add_(1)
    second = save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    assert second.weights != first.weights and second.text == first.text
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["checkpoint.json", second.weights, first.text.directory]
    )
    assert (tmp_path / first.text.directory / "config.json").stat().st_mtime_ns == before
    assert torch.equal(next(load_checkpoint(tmp_path).model.connector.parameters()), next(model.connector.parameters()))  # type: ignore[union-attr]


@pytest.mark.parametrize("fails_at", range(3))
def test_a_save_that_is_cut_off_leaves_the_old_checkpoint(tmp_path: Path, fails_at: int) -> None:
    model = segmenter()
    old = save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    with torch.no_grad():
        next(model.connector.parameters()).add_(1)
    cut_off = ("write_tensors", "write_record", "os.fsync")[fails_at]
    with patch(f"models.checkpoint.{cut_off}", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    assert read_record(tmp_path) == old
    load_checkpoint(tmp_path)
    save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_encoder_that_may_not_be_passed_on_is_recorded_by_name(
    tmp_path: Path, text: TextEncoder, encoder_directory: Path
) -> None:
    record = save_checkpoint(with_text(text), tmp_path, PUBLISHED_PREPROCESSING, store_text=False)
    assert record.text is not None and (record.text.directory, record.text.name) == (None, str(encoder_directory))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.json", record.weights]
    loaded = load_checkpoint(tmp_path).model
    x = volume(1, 32, 32, 64)
    assert_close(loaded(x, PROMPTS), with_text(text)(x, PROMPTS))


def test_another_encoder_under_the_same_name_is_refused(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path / "encoder")
    model = with_text(TextEncoder.from_pretrained(encoder))
    save_checkpoint(model, tmp_path / "run", PUBLISHED_PREPROCESSING, store_text=False)
    tiny_encoder(encoder, seed=1)
    with pytest.raises(CheckpointError, match="is not the one that"):
        load_checkpoint(tmp_path / "run")


def changed(directory: Path, change: Any) -> None:
    path = directory / "checkpoint.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_what_is_missing_is_listed(tmp_path: Path) -> None:
    record = save_checkpoint(segmenter(), tmp_path, PUBLISHED_PREPROCESSING)
    weights = load_file(tmp_path / record.weights)
    del weights["connector.heads.0.vector.bias"]
    weights["extra"] = torch.ones(1)
    weights["image.upsample_layers.0.conv.weight"] = torch.ones(2, 2)
    save_file(weights, tmp_path / record.weights)
    name = f"weights-{digest_of(tmp_path / record.weights)[:16]}.safetensors"
    (tmp_path / record.weights).rename(tmp_path / name)
    changed(tmp_path, lambda r: r.update(weights=name))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path)
    message = str(caught.value)
    assert "1 missing: connector.heads.0.vector.bias" in message and "1 unknown: extra" in message
    assert "image.upsample_layers.0.conv.weight is (2, 2) and not (64, 64, 1, 1, 1)" in message


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path, _: (path / "checkpoint.json").unlink(), "no such file; a checkpoint is a folder"),
        (lambda path, record: (path / record.weights).unlink(), "no such file, though checkpoint.json names it"),
        (lambda path, record: os.truncate(path / record.weights, 5000), "is not complete"),
        (lambda path, _: (path / "checkpoint.json").write_text("{"), "not written by this version.*JSON"),
        (lambda path, _: changed(path, lambda r: r.pop("preprocessing")), "preprocessing: Field required"),
        (lambda path, _: changed(path, lambda r: r.update(format="ovct checkpoint 9")), "format: "),
        (lambda path, _: changed(path, lambda r: r.update(more=1)), "more: Extra inputs"),
        (lambda path, _: changed(path, lambda r: r.update(kind="aligner")), "aligner and lacks"),
        (lambda path, _: changed(path, lambda r: r["connector"].update(kind="film")), "one of mlp, cross_attention"),
        (lambda path, _: changed(path, lambda r: r["image"].update(depth=[1])), "a stride between two stages"),
        (lambda path, _: changed(path, lambda r: r.update(weights="../weights.safetensors")), "weights: "),
    ],
)
def test_a_spoilt_checkpoint_is_refused(tmp_path: Path, spoil: Any, message: str) -> None:
    record = save_checkpoint(segmenter(), tmp_path, PUBLISHED_PREPROCESSING)
    spoil(tmp_path, record)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(tmp_path)


def test_a_file_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(pickle.dumps({}))
    with pytest.raises(CheckpointError, match="is a file; a checkpoint is the folder"):
        load_checkpoint(tmp_path / "model.pth")


def test_a_file_is_no_place_for_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(CheckpointError, match="notes cannot be a checkpoint's folder"):
        save_checkpoint(segmenter(), tmp_path / "notes", PUBLISHED_PREPROCESSING)
    assert (tmp_path / "notes").read_text() == "mine"


def test_nothing_is_unpickled(tmp_path: Path, text: TextEncoder) -> None:
    save_checkpoint(with_text(text), tmp_path, PUBLISHED_PREPROCESSING)
    refused = AssertionError("unpickled")
    with ExitStack() as patches:
        for name in ("pickle.loads", "pickle.load", "pickle.Unpickler", "torch.load"):
            patches.enter_context(patch(name, side_effect=refused))
        load_checkpoint(tmp_path)
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {".json", ".safetensors", ".txt"}


def test_a_segmenter_without_a_text_encoder_takes_embeddings(tmp_path: Path) -> None:
    model = segmenter()
    save_checkpoint(model, tmp_path, PUBLISHED_PREPROCESSING)
    x = volume(1, 32, 32, 64)
    loaded = load_checkpoint(tmp_path).model
    assert same_weights(loaded, model)
    assert_close(loaded(x, embeddings(2)), model(x, embeddings(2)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_checkpoint_loads_on_a_gpu(tmp_path: Path, text: TextEncoder) -> None:
    model = with_text(text)
    save_checkpoint(model.cuda(), tmp_path, PUBLISHED_PREPROCESSING)
    x = volume(1, 32, 32, 64)
    on_gpu = load_checkpoint(tmp_path, "cuda").model(x.cuda(), PROMPTS).cpu()
    assert_close(on_gpu, load_checkpoint(tmp_path).model(x, PROMPTS), 1e-3)
