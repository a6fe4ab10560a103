"""Networks with an output for each class: published files and checkpoints of a pretraining, and what is neither."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.architecture import PUBLISHED_LABELS
from models.checkpoint import save_checkpoint
from models.checkpoint_record import CheckpointError, read_record
from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from models.stunet import STUNet
from train.inference.engines.class_network import ClassNetwork, pretrained_labels, published_labels, trained_patch

PREPROCESSING = Preprocessing(spacing_mm=(3, 3, 3), orientation="SAR", normalisation="zscore")


def published(path: Path, classes: int | None = 105, channels: int = 1) -> Path:
    state = STUNet("tiny", channels, classes).state_dict()
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"epoch": 4000, "state_dict": state}, path)
    return path


@pytest.mark.parametrize("name", ["base_ep4k.model", "base.pth", "base.safetensors"])
def test_published_weights_come_with_what_they_were_trained_with(tmp_path: Path, name: str) -> None:
    path = published(tmp_path / name)
    network = ClassNetwork.load_published(path)
    assert network.labels == published_labels(path) == PUBLISHED_LABELS
    assert network.preprocessing == PUBLISHED_PREPROCESSING and network.patch == (128, 128, 128)
    assert network.weights.startswith(f"{path.stem}-") and not network.network.training
    published(path)
    assert ClassNetwork.load_published(path).weights != network.weights


def test_shapes_are_read_without_values(tmp_path: Path) -> None:
    network = STUNet.load_published(published(tmp_path / "base_ep4k.model"), shapes_only=True)
    assert all(parameter.is_meta for parameter in network.parameters())


def test_a_pretraining_comes_with_its_record(tmp_path: Path) -> None:
    labels = ("background", "liver")
    network = STUNet("tiny", num_classes=2, labels=labels)
    save_checkpoint(network, tmp_path, PREPROCESSING, trained_on=[{"patch": [32, 32, 64]}])
    loaded = ClassNetwork.load_pretrained(tmp_path)
    assert loaded.labels == pretrained_labels(tmp_path) == labels
    assert (loaded.preprocessing, loaded.patch) == (PREPROCESSING, (32, 32, 64))
    assert loaded.weights == read_record(tmp_path).weights
    # As `ovct train pretrain` writes it: among its settings.
    save_checkpoint(network, tmp_path, PREPROCESSING, trained_on=[{"options": {"patch": [32, 48, 64]}}])
    assert trained_patch(read_record(tmp_path)) == (32, 48, 64)
    save_checkpoint(network, tmp_path, PREPROCESSING)
    assert trained_patch(read_record(tmp_path)) is None


@pytest.mark.parametrize(
    ("classes", "channels", "told"),
    [
        (None, 1, "no outputs for classes: it cannot segment by itself"),
        (16, 1, "16 outputs whose names it does not say; known are the 105"),
        (105, 2, "takes 2 volumes at once"),
    ],
)
def test_other_weights_are_refused(tmp_path: Path, classes: int | None, channels: int, told: str) -> None:
    path = published(tmp_path / "base_ep4k.model", classes, channels)
    with pytest.raises(CheckpointError, match=told):
        ClassNetwork.load_published(path)
