"""TotalSegmentator as an engine, with a stand-in for the package: prompts in, its classes out, and nothing fetched."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.train.inference.engines import stand_in
from tests.train.inference.engines.made_weights import BOXES, box, scan_file
from train.inference.engines.totalsegmentator import TotalSegmentatorEngine
from train.inference.errors import EngineError, SegmentError
from train.inference.options import SegmentOptions
from train.inference.prompts import checked_prompts
from train.inference.segmenting import segment

CPU = SegmentOptions(device="cpu")
HU = {label: hu for label, (hu, _) in BOXES.items()}


def test_prompts_become_a_subset_and_unions_of_its_classes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = stand_in.install(monkeypatch, tmp_path, stand_in.by_intensity(HU))
    engine = TotalSegmentatorEngine(CPU, fetch=False)
    result = segment(scan_file(tmp_path), ["renal organs", "left lung", "liver", "spleen"], engine)
    assert np.array_equal(result.mask("renal organs"), box("kidney_left") | box("kidney_right"))
    assert np.array_equal(result.mask("left lung"), box("lung_upper_lobe_left") | box("lung_lower_lobe_left"))
    assert np.array_equal(result.mask("liver"), box("liver")) and not result.row("spleen").present
    (call,) = calls
    assert set(call["roi_subset"]) == {*HU, "spleen"} and isinstance(call["roi_subset"], list)
    assert (call["ml"], call["task"], call["device"], call["output"]) == (True, "total", "cpu", None)
    assert capsys.readouterr().out == "", "what the package prints is none of our output"
    assert any("left kidney" in warning for warning in result.record.warnings)
    assert result.record.weights.startswith("TotalSegmentator")


def test_labels_that_come_with_other_axes_are_turned_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def turned(image: Any, subset: Any) -> Any:
        given = stand_in.by_intensity(HU)(image, subset)
        return given.as_reoriented(np.array([[1, -1], [0, 1], [2, -1]]))

    stand_in.install(monkeypatch, tmp_path, turned)
    result = segment(scan_file(tmp_path), ["liver"], TotalSegmentatorEngine(CPU, fetch=False))
    assert np.array_equal(result.mask("liver"), box("liver"))


def test_masks_of_another_grid_and_failures_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ct = scan_file(tmp_path)

    def elsewhere(image: Any, subset: Any) -> Any:
        return nibabel.Nifti1Image(np.zeros((3, 3, 3), np.uint8), image.affine)

    def failing(image: Any, subset: Any) -> Any:
        raise SystemExit("no licence")

    for number, (run, told) in enumerate(((elsewhere, "on another grid"), (failing, "failed .no licence."))):
        stand_in.install(monkeypatch, tmp_path / str(number), run)
        with pytest.raises(EngineError, match=told):
            segment(ct, ["liver"], TotalSegmentatorEngine(CPU, fetch=False))


def test_weights_are_fetched_only_where_it_was_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in.install(monkeypatch, tmp_path, stand_in.by_intensity(HU), weights=False)
    with pytest.raises(SegmentError, match=r"networks 292, 293, 294, 295, 298.*--fetch-weights"):
        TotalSegmentatorEngine(CPU, fetch=False)
    TotalSegmentatorEngine(CPU, fetch=True)


def test_what_it_has_no_class_for_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in.install(monkeypatch, tmp_path, stand_in.by_intensity(HU))
    engine = TotalSegmentatorEngine(CPU, fetch=False)
    with pytest.raises(SegmentError, match="TotalSegmentator has no class for 'face'"):
        engine.check(checked_prompts(["face"]), CPU)


def test_without_the_package_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SegmentError, match="not installed: `pip install TotalSegmentator`"):
        TotalSegmentatorEngine(CPU, fetch=False)
