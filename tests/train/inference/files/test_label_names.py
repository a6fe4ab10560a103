"""Names and colours for viewers, read back as they read them."""

from pathlib import Path
from xml.etree import ElementTree

import nibabel
import torch

from tests.train.inference.segment_cases import ball, hounsfield, result_of, scan_of
from train.inference.files.label_names import (
    caret_label_table,
    colours_of,
    write_itksnap_labels,
    write_slicer_colours,
)
from train.inference.result import SegmentationResult

SHAPE = (8, 7, 6)
NAMES = ["left kidney", 'the "odd" <thing>', "spleen"]


def result() -> SegmentationResult:
    logits = torch.stack([ball(SHAPE, (2 + 2 * number, 3, 3), 1.2) for number in range(3)])
    return result_of(logits, NAMES, scan_of(hounsfield(SHAPE)))


def test_the_label_table_in_a_nifti_file(tmp_path: Path) -> None:
    segmented = result()
    segmented.save(tmp_path / "mask.nii.gz")
    comment, caret = nibabel.load(tmp_path / "mask.nii.gz").header.extensions  # type: ignore[attr-defined]
    assert (comment.get_code(), caret.get_code()) == (6, 30)
    root = ElementTree.fromstring(caret.content.rstrip(b"\0"))
    labels = root.findall("VolumeInformation/LabelTable/Label")
    assert [(int(label.get("Key", "")), label.text) for label in labels] == list(enumerate(NAMES, 1))
    colours = colours_of(segmented.table)
    for label, name in zip(labels, NAMES, strict=True):
        levels = [round(float(label.get(part, "")) * 255) for part in ("Red", "Green", "Blue")]
        assert tuple(levels) == colours[name] and label.get("Alpha") == "1"
    assert root.tag == "CaretExtension" and root.findtext("VolumeInformation/VolumeType") == "Label"
    assert caret_label_table(segmented.table) == caret.content.rstrip(b"\0")


def test_the_files_beside_a_mask(tmp_path: Path) -> None:
    table = result().table
    colours = colours_of(table)
    write_slicer_colours(table, tmp_path / "mask.ctbl")
    lines = [line for line in (tmp_path / "mask.ctbl").read_text().splitlines() if not line.startswith("#")]
    for row, line in zip(table, lines[1:], strict=True):
        label, name, *levels = line.split(" ")
        assert (int(label), name) == (row.label, row.name.replace(" ", "_"))
        assert [int(level) for level in levels] == [*colours[row.name], 255]
    write_itksnap_labels(table, tmp_path / "mask.itksnap.txt")
    lines = [line for line in (tmp_path / "mask.itksnap.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines[0].split()[:4] == ["0", "0", "0", "0"]
    for row, line in zip(table, lines[1:], strict=True):
        numbers, name, _ = line.split('"')
        assert [int(number) for number in numbers.split()] == [row.label, *colours[row.name], 1, 1, 1]
        assert name == row.name.replace('"', "'")
