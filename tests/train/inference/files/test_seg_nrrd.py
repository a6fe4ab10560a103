"""Segmentations of 3D Slicer, read back by the rules of NRRD alone, and by ITK."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch

from tests.train.inference.segment_cases import affine_of, ball, hounsfield, result_of, scan_of
from train.inference.files.label_names import colours_of
from train.inference.files.seg_nrrd import write_seg_nrrd
from train.inference.result import SegmentationResult

SHAPE = (12, 11, 10)
AFFINE = affine_of((1.5, 2, 3), "LPS")

pytestmark = pytest.mark.usefixtures("one_thread")


def overlapping() -> SegmentationResult:
    left, right = ball(SHAPE, (3, 5, 4), 2.2), ball(SHAPE, (8, 5, 5), 2.2)
    logits = torch.stack([left, torch.maximum(left, right) + 1, left - 9, ball(SHAPE, (8, 2, 7), 1.5)])
    return result_of(logits, ["left kidney", "renal organ", "spleen", "a\\b: c"], scan_of(hounsfield(SHAPE), AFFINE))


def read(path: Path) -> tuple[dict[str, str], np.ndarray]:
    """The fields and pairs of a NRRD file, and its values with the first axis first."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    fields: dict[str, str] = {}
    for line in head.decode().splitlines()[1:]:
        if not line.startswith("#"):
            name, _, value = line.partition(":=" if ":=" in line else ": ")
            fields[name] = value
    sizes = [int(size) for size in fields["sizes"].split()]
    values = np.frombuffer(gzip.decompress(data), {"unsigned char": np.uint8, "short": np.int16}[fields["type"]])
    return fields, values.reshape(sizes, order="F")


def test_every_mask_is_whole_in_its_layer(tmp_path: Path) -> None:
    result = overlapping()
    write_seg_nrrd(result, tmp_path / "mask.seg.nrrd")
    fields, values = read(tmp_path / "mask.seg.nrrd")
    assert fields["kinds"] == "list domain domain domain" and values.shape == (2, *SHAPE)
    assert fields["space directions"].startswith("none (1.5,0,0) (0,2,0) (0,0,3)")
    colours = colours_of(result.table)
    for number, row in enumerate(result.table):
        mask = values[int(fields[f"Segment{number}_Layer"])] == int(fields[f"Segment{number}_LabelValue"])
        assert np.array_equal(mask, result.mask(row.name)), row.name
        low_high = np.array(fields[f"Segment{number}_Extent"].split(), int).reshape(3, 2)
        assert (
            (low_high[:, 1] < 0).all()
            if not mask.any()
            else np.array_equal(low_high, np.stack([np.argwhere(mask).min(0), np.argwhere(mask).max(0)], axis=1))
        )
        levels = [round(float(level) * 255) for level in fields[f"Segment{number}_Color"].split()]
        assert tuple(levels) == colours[row.name]
    assert fields["Segment3_Name"] == "a\\\\b: c", "NRRD doubles a backslash"
    assert "SCT^64033007^Kidney~SCT^7771000^Left" in fields["Segment0_Tags"]


def test_itk_lays_it_where_the_scan_is(tmp_path: Path) -> None:
    result = result_of(ball(SHAPE, (3, 5, 4), 2.2)[None], ["spleen"], scan_of(hounsfield(SHAPE), AFFINE))
    write_seg_nrrd(result, tmp_path / "mask.seg.nrrd")
    image = SimpleITK.ReadImage(str(tmp_path / "mask.seg.nrrd"))
    assert np.array_equal(SimpleITK.GetArrayFromImage(image).transpose(), result.labels)
    assert image.GetMetaData("Segment0_Name") == "spleen"
    place = image.TransformIndexToPhysicalPoint((3, 5, 4))
    assert np.allclose(np.diag([-1, -1, 1]) @ place, (AFFINE @ [3, 5, 4, 1])[:3])
