"""What a checkpoint knows, told without running it."""

from pathlib import Path

import pytest
import torch

from models.aligner import Aligner
from models.checkpoint import load_checkpoint, save_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING
from models.stunet import STUNet
from tests.train.inference.engines import stand_in
from tests.train.inference.engines.made_weights import published_file
from tests.train.inference.segment_cases import tiny_checkpoint
from train.data.structure_prompts import build_structure_prompts
from train.inference.engines.known_prompts import known_prompts
from train.inference.errors import SegmentError
from train.inference.prompts import SegmentPrompt, checked_prompts


def test_published_weights_know_their_104_classes_and_the_groups_of_them(tmp_path: Path) -> None:
    known = known_prompts("checkpoint", published_file(tmp_path))
    assert known.kind == "classes" and len(known.structures) == 104
    by_label = {structure.label: structure for structure in known.structures}
    assert by_label["kidney_left"].name == "left kidney" and "LK" in by_label["kidney_left"].other_names
    groups = {group.name: group for group in known.groups}
    assert groups["kidneys"].members == ("left kidney", "right kidney")
    assert groups["vertebrae"].missing == ("S1 vertebra",)
    assert SegmentPrompt("kidney_left", "left kidney") in known.prompts()


def test_a_pretraining_knows_what_it_was_trained_on(tmp_path: Path) -> None:
    network = STUNet("tiny", num_classes=3, labels=("background", "liver", "spleen"))
    save_checkpoint(network, tmp_path, PUBLISHED_PREPROCESSING)
    assert [structure.name for structure in known_prompts("checkpoint", tmp_path).structures] == ["liver", "spleen"]


def test_a_text_driven_checkpoint_knows_the_names_of_its_training(tmp_path: Path) -> None:
    prompts = build_structure_prompts(("kidney_left", "kidney_right", "liver"))
    known = known_prompts("checkpoint", tiny_checkpoint(tmp_path / "a", prompts=prompts.to_json()))
    assert known.kind == "text"
    assert known.prompts() == [
        SegmentPrompt("kidney_left", "left kidney"),
        SegmentPrompt("kidney_right", "right kidney"),
        SegmentPrompt("liver", "liver"),
    ]
    assert [group.name for group in known.groups] == ["kidneys"] and "hepatic organ" in known.structures[2].other_names
    silent = known_prompts("checkpoint", tiny_checkpoint(tmp_path / "b"))
    assert silent.structures == () and len(checked_prompts(silent.prompts())) == 117
    assert SegmentPrompt("vertebrae_L1", "L1 vertebra") in silent.prompts()


def test_what_segments_nothing_says_so(tmp_path: Path) -> None:
    text = load_checkpoint(tiny_checkpoint(tmp_path)).model.text
    assert isinstance(text, torch.nn.Module)
    save_checkpoint(Aligner(STUNet("tiny"), text), tmp_path / "aligner", PUBLISHED_PREPROCESSING)  # type: ignore[arg-type]
    with pytest.raises(SegmentError, match="no decoder yet"):
        known_prompts("checkpoint", tmp_path / "aligner")


def test_totalsegmentator_knows_what_the_package_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in.install(monkeypatch, tmp_path, stand_in.by_intensity({}), weights=False)
    known = known_prompts("totalsegmentator", None)
    assert len(known.structures) == 117 and "TotalSegmentator" in known.source
