"""Opening folders as data sets, and reading their label maps."""

from pathlib import Path

import numpy as np
import pytest

from tests.train.data.data_files import AFFINE, SHAPE, box, hounsfield, save, totalsegmentator, with_json
from train.data.cases import DataError
from train.data.dataset import open_dataset, read_case, read_labels
from train.scans.errors import ScanError


def test_mask_on_another_grid_names_both_files(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s1": {"liver": box(2, 5)}})
    save(tmp_path / "s1" / "segmentations" / "spleen.nii.gz", box(2, 5), np.diag([2.0, 2, 3, 1]))
    dataset = open_dataset(tmp_path)
    with pytest.raises(ScanError, match=r"spleen\.nii\.gz.*ct\.nii\.gz"):
        read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0]))


def test_label_map_of_another_set_is_refused(tmp_path: Path) -> None:
    root = with_json(tmp_path, channel_names={"0": "CT"}, labels={"background": 0, "liver": 1})
    save(root / "imagesTr" / "a_0000.nii.gz", hounsfield())
    save(root / "labelsTr" / "a.nii.gz", box(2, 5, 7))
    dataset = open_dataset(root)
    with pytest.raises(DataError, match=r"a\.nii\.gz holds label 7, which .* does not name"):
        read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.float32])
def test_masks_are_painted_in_their_order_whatever_numbers_and_axes_they_have(tmp_path: Path, dtype: type) -> None:
    random = np.random.default_rng(0)
    masks: dict[str, np.ndarray] = {"spleen": random.random(SHAPE) > 0.9, "liver": 2 * (random.random(SHAPE) > 0.9)}
    masks["colon"] = np.zeros(SHAPE)
    flipped = AFFINE.copy()
    flipped[0, 0], flipped[0, 3] = 2, 10 - 2 * (SHAPE[0] - 1)
    save(tmp_path / "s1" / "ct.nii.gz", hounsfield())
    for name, mask in masks.items():
        turned = name == "liver"
        stored: np.ndarray = (mask[::-1] if turned else mask).astype(dtype)
        save(tmp_path / "s1" / "segmentations" / f"{name}.nii.gz", stored, flipped if turned else AFFINE)
    dataset = open_dataset(tmp_path)
    labels = read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0]))
    (spleen,), (liver,) = (dataset.structures[name] for name in ("spleen", "liver"))
    expected = np.where(masks["liver"] != 0, liver, np.where(masks["spleen"] != 0, spleen, 0))
    assert labels.dtype == np.int16 and np.array_equal(labels, expected)
