import json
from pathlib import Path

import numpy as np
import pytest

from train.viewer.errors import ViewError
from train.viewer.label_names import given_names, names_beside, with_names
from train.viewer.mask_files import MaskFile, NamedLabel

TWO_LABELS = np.array([[[0, 1, 2]]], np.uint8)


def test_the_classes_of_totalsegmentator_are_numbered_from_one() -> None:
    names = given_names("totalsegmentator")
    assert (len(names), names[1], names[5], names[117]) == (117, "spleen", "liver", "costal_cartilages")


def test_a_data_set_names_the_label_maps_in_it(tmp_path: Path) -> None:
    labels = {"background": 0, "whole tumor": [1, 2], "core": 2}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    assert given_names(str(tmp_path / "dataset.json")) == {1: "whole tumor", 2: "core"}
    assert names_beside(tmp_path / "labelsTr/a.nii.gz") == {1: "whole tumor", 2: "core"}
    assert names_beside(tmp_path / "masks/a.nii.gz") == {}


@pytest.mark.parametrize("source", ["totalsegmentor", "missing/dataset.json"])
def test_other_sources_are_refused_by_name(source: str) -> None:
    with pytest.raises(ViewError, match=rf"--names {source}: expected totalsegmentator, or the path"):
        given_names(source)


def test_names_of_the_file_come_first_and_none_at_all_is_told() -> None:
    mask = MaskFile(Path("a.nii.gz"), TWO_LABELS, np.eye(4))
    assert [with_names(mask, {1: "liver"}).name_of(label).name for label in (1, 2)] == ["liver", "label 2"]
    named = MaskFile(Path("a.nii.gz"), TWO_LABELS, np.eye(4), (NamedLabel(1, "spleen"),))
    assert with_names(named, {1: "liver"}) is named
    assert "a.nii.gz does not name its labels; `--names totalsegmentator`" in with_names(mask, {}).notices[0]
    one = MaskFile(Path("liver.nii.gz"), TWO_LABELS == 1, np.eye(4))
    assert with_names(one, {}) is one
