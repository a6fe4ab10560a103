"""Published weights without any training: prompts in, the right heads and their unions out."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.architecture import PUBLISHED_LABELS
from models.checkpoint import load_checkpoint, save_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING
from models.stunet import STUNet
from tests.train.inference.engines.made_weights import box, published_file, scan_file
from train.inference.engines.class_network import ClassNetwork
from train.inference.engines.heads import HeadsEngine
from train.inference.errors import SegmentError
from train.inference.options import DEFAULT_OPTIONS, SegmentOptions
from train.inference.prompts import checked_prompts
from train.inference.segmenting import segment
from train.inference.windows import Windows

SMALL = Windows((32, 32, 64))

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heads")


@pytest.fixture(scope="module")
def ct(folder: Path) -> Path:
    return scan_file(folder)


@pytest.fixture(scope="module")
def engine(folder: Path) -> HeadsEngine:
    return HeadsEngine(ClassNetwork.load_published(published_file(folder)))


def test_names_synonyms_groups_and_parts_are_the_heads_and_their_unions(engine: HeadsEngine, ct: Path) -> None:
    prompts = {
        "kidney_left": "kidney_left",
        "synonym": "LK",
        "group": "renal organs",
        "side of a group": "right kidney",
        "lobes": "left lung",
        "lobe": "left lung, superior lobe".replace(",", ""),
        "liver": "Liver",
    }
    result = segment(ct, prompts, engine, windows=SMALL)
    both = box("kidney_left") | box("kidney_right")
    lobes = box("lung_upper_lobe_left") | box("lung_lower_lobe_left")
    expected = {
        "kidney_left": box("kidney_left"),
        "synonym": box("kidney_left"),
        "group": both,
        "side of a group": box("kidney_right"),
        "lobes": lobes,
        "lobe": box("lung_upper_lobe_left"),
        "liver": box("liver"),
    }
    for name, mask in expected.items():
        assert np.array_equal(result.mask(name), mask), name
        assert result.row(name).volume_ml == pytest.approx(mask.sum() * 1.5**3 / 1000)
        assert result.row(name).present and result.row(name).presence is None
    # One label a voxel: what lies inside a larger mask is kept.
    assert set(np.unique(result.labels[both])) == {result.row("synonym").label, result.row("side of a group").label}
    told = " ".join(result.record.warnings)
    assert "'renal organs' was taken as left kidney + right kidney" in told and "'Liver'" not in told
    assert result.scan.warnings == () and result.record.weights.startswith("small_ep4k-")


def test_a_structure_without_a_voxel_is_there_as_none(engine: HeadsEngine, ct: Path) -> None:
    row = segment(ct, ["spleen"], engine, windows=SMALL).row("spleen")
    assert (row.present, row.presence, row.volume_ml) == (False, None, 0)


def test_probabilities_are_the_shares_of_the_classes_together(engine: HeadsEngine, ct: Path) -> None:
    result = segment(ct, ["kidneys", "liver"], engine, windows=SMALL)
    kidneys = result.probability("kidneys")
    assert kidneys[result.mask("kidneys")].min() > 0.5 > kidneys[~result.mask("kidneys")].max()
    assert (kidneys + result.probability("liver")).max() < 1.001


def test_the_windows_are_those_of_the_training(engine: HeadsEngine) -> None:
    assert engine.network.patch == (128, 128, 128) and engine.network.preprocessing == PUBLISHED_PREPROCESSING


def test_it_is_the_argmax_of_the_network_itself(tmp_path: Path) -> None:
    """Random weights of a pretraining's checkpoint, one window, against the network's own forward pass."""
    torch.manual_seed(0)
    labels = ("background", "liver", "spleen", "something else")
    network = STUNet("tiny", num_classes=len(labels), labels=labels).eval()
    with torch.no_grad():
        network.seg_outputs[-1].weight.mul_(5)  # type: ignore[operator]
    save_checkpoint(network, tmp_path / "pretrain", PUBLISHED_PREPROCESSING, trained_on=[{"patch": [32, 32, 64]}])
    ct = scan_file(tmp_path)
    options = SegmentOptions(precision="float32")
    loaded = load_checkpoint(tmp_path / "pretrain")
    window = Windows((32, 32, 64), overlap=0, precision="float32")
    prompts = ["liver", "spleen", "something_else"]
    result = segment(ct, prompts, tmp_path / "pretrain", options, windows=window)
    again = segment(ct, prompts, loaded, options, windows=window)
    assert np.array_equal(result.labels, again.labels)
    from train.inference.windows import padded
    from train.scans.grid import to_network

    volume, grid = to_network(result.scan, PUBLISHED_PREPROCESSING)
    assert grid.shape == (24, 30, 36)
    with torch.no_grad():
        winner = network(padded(volume, (32, 32, 64))[None])[0].argmax(dim=0)
    inner = winner[4:28, 1:31, 14:50].permute(2, 1, 0).numpy()
    for number, name in enumerate(prompts, 1):
        mask = np.stack([result.mask(name)])[0]
        assert (mask != (inner == number)).mean() < 0.003 and (inner == number).any() == mask.any()
    assert len(np.unique(inner)) >= 3


def test_what_no_head_can_give_is_refused_all_at_once(engine: HeadsEngine) -> None:
    with pytest.raises(SegmentError) as error:
        engine.check(checked_prompts(["liver", "banana", "splean", "left renal cortex"]), DEFAULT_OPTIONS)
    text = str(error.value)
    assert "'banana' is unknown" in text and "'splean' is unknown; near: spleen" in text
    assert "no class for 'left renal cortex': it is part of left kidney, which has one" in text
    assert "--list-prompts" in text and "liver" not in text.replace("'liver'", "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"threshold": 0.3}, "--threshold 0.3"),
        ({"presence_threshold": 0}, "--presence-threshold 0"),
        ({"vocabulary": False}, "--no-vocabulary"),
    ],
)
def test_options_that_heads_do_not_have_are_refused(engine: HeadsEngine, change: dict[str, float], told: str) -> None:
    with pytest.raises(SegmentError, match=told):
        engine.check(checked_prompts(["liver"]), replace(DEFAULT_OPTIONS, **change))  # type: ignore[arg-type]


def test_every_published_class_is_found_by_its_label_and_its_name(engine: HeadsEngine, shared_data: Path) -> None:
    notes = shared_data.parent / "notes" / "classes_stunet_v1_alphabetical.json"
    labels = json.loads(notes.read_text())["labels"]
    assert tuple(labels[str(number)] for number in range(len(labels))) == PUBLISHED_LABELS
    for label, name in engine.names.names.items():
        assert engine.names.find(label).labels == engine.names.find(name).labels == (label,)


@pytest.mark.parametrize("size", ["S", "B"])
def test_the_published_keys_and_shapes_are_those_that_are_read(shared_data: Path, size: str) -> None:
    published = json.loads((shared_data.parent / "notes" / f"stunet_keys_{size}.json").read_text())["state_dict"]
    with torch.device("meta"):
        network = STUNet(size, num_classes=105)
    assert {name: list(tensor.shape) for name, tensor in network.state_dict().items()} == published
