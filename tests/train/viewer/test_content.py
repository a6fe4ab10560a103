"""What the page is told of a scan and its masks."""

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.train.viewer.view_cases import BLOCKS, hounsfield_blocks, oblique_affine, place_of, write_case
from train.inference.files.colours import Colour, structure_colours, to_lab
from train.scans.saving import save_nifti
from train.scans.scan import read_scan
from train.viewer.content import APART, _colours, load_content, scan_and_masks
from train.viewer.errors import ViewError
from train.viewer.structures import Structure, StructureMap


def test_names_volumes_colours_windows_and_the_start(tmp_path: Path) -> None:
    scan, mask = write_case(tmp_path)
    content = load_content(scan, [mask], 10**6, tmp_path)
    told = content.description
    assert [one["name"] for one in told["structures"]] == [*BLOCKS, "left kidney"]
    assert told["structures"][3]["at"] is None
    assert len({tuple(one["colour"]) for one in told["structures"]}) == 4
    assert told["unit"] == "HU" and told["windows"][0] == {"name": "Soft tissue", "low": -160, "high": 240}
    assert np.allclose(told["start"], place_of("liver", oblique_affine()), atol=15)  # the largest
    assert told["voxels"] == [40, 36, 20] and told["notices"] == []
    shown = nibabel.load(content.scan)
    assert np.array_equal(np.asarray(shown.dataobj), np.maximum(hounsfield_blocks(), -1024))  # type: ignore[attr-defined]
    assert content.labels is not None and np.allclose(nibabel.load(content.labels).affine, oblique_affine(), atol=1e-4)  # type: ignore[attr-defined]


def test_a_scan_alone_and_one_that_is_not_in_hu(tmp_path: Path) -> None:
    scan = tmp_path / "scaled.nii.gz"
    save_nifti(scan, (hounsfield_blocks() / 1500).astype(np.float32), oblique_affine())
    content = load_content(scan, [], 10**6, tmp_path)
    assert content.labels is None and content.description["structures"] == [] and content.description["unit"] == ""
    assert np.allclose(content.description["start"], nibabel.affines.apply_affine(oblique_affine(), [19.5, 17.5, 9.5]))
    assert content.description["windows"][0]["high"] < 1 and "not HU" in content.description["notices"][0]


def test_a_scan_above_the_limit_is_shown_coarser_and_that_is_told(tmp_path: Path) -> None:
    scan, mask = write_case(tmp_path)
    content = load_content(scan, [mask], 8000, tmp_path)
    assert nibabel.load(content.scan).shape == (20, 18, 20)  # type: ignore[attr-defined]
    assert any("shown coarser than it is, with voxels of 4 × 4 × 5 mm" in one for one in content.description["notices"])
    whole = load_content(scan, [mask], 10**6, tmp_path)
    assert content.description["structures"] == whole.description["structures"]


def test_a_mask_alone_knows_its_scan_also_where_both_have_moved(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    scan, mask = write_case(tmp_path / "here")
    assert scan_and_masks([mask]) == (scan, [mask])
    moved = (tmp_path / "here").rename(tmp_path / "there")
    assert scan_and_masks([moved / "mask.nii.gz"]) == (moved / "ct.nii.gz", [moved / "mask.nii.gz"])
    assert scan_and_masks([moved / "ct.nii.gz"]) == (moved / "ct.nii.gz", [])
    (moved / "ct.nii.gz").unlink()
    with pytest.raises(ViewError, match=r"is a mask of .*ct\.nii\.gz, which is not there: name the scan first"):
        scan_and_masks([moved / "mask.nii.gz"])


def test_the_viewer_starts_without_torch() -> None:
    code = "import sys, train.viewer.content, train.viewer.page, train.viewer.server; "
    code += "print(sorted({'torch', 'transformers', 'monai', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_colours_of_files_are_kept_and_no_other_is_like_one_of_them(tmp_path: Path) -> None:
    scan, _ = write_case(tmp_path)
    map_ = StructureMap(read_scan(scan))
    ours = structure_colours([("1", "spleen")])["1"]
    near: Colour = (ours[0], ours[1], ours[2] + 3)
    given = [("odd", near), ("liver", (10, 200, 10)), ("spleen", None), ("kidney", (10, 200, 12)), ("aorta", None)]
    map_.structures = [Structure(n, name, "", 1.0, None, colour) for n, (name, colour) in enumerate(given, 1)]
    colours = _colours(map_.structures)
    assert colours[:2] == [near, (10, 200, 10)] and colours[4] == structure_colours([("1", "aorta")])["1"]
    lab = to_lab(np.array(colours))
    assert np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(5, 1)].min() >= APART
