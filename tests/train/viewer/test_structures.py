"""Masks put together on the scan's grid: which is seen, how large it is, where it lies."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.train.viewer.view_cases import (
    BLOCKS,
    block_mask,
    hounsfield_blocks,
    label_map,
    oblique_affine,
    place_of,
    write_case,
)
from train.scans.scan import Scan
from train.viewer.errors import ViewError
from train.viewer.mask_files import MaskFile, NamedLabel, read_mask
from train.viewer.structures import StructureMap

SCAN = Scan(Path("ct.nii.gz"), hounsfield_blocks().astype(np.float32), oblique_affine(), "nifti")


def together(*masks: MaskFile) -> StructureMap:
    structures = StructureMap(SCAN)
    for mask in masks:
        structures.add(mask)
    return structures


def mask_file(name: str, labels: np.ndarray, affine: np.ndarray | None = None) -> MaskFile:
    return MaskFile(Path(f"{name}.nii.gz"), labels.astype(np.int16), oblique_affine() if affine is None else affine)


def seen(structures: StructureMap, name: str) -> np.ndarray:
    (label,) = [one.label for one in structures.structures if one.name == name]
    return np.asarray(structures.labels == label)


@pytest.mark.parametrize("order", [["liver", "nodule", "spleen"], ["nodule", "spleen", "liver"]])
def test_of_masks_that_overlap_the_smaller_is_seen_in_any_order(order: list[str]) -> None:
    structures = together(*(mask_file(name, block_mask(name)) for name in order))
    assert np.array_equal(seen(structures, "nodule"), block_mask("nodule") > 0)
    assert np.array_equal(seen(structures, "liver"), label_map() == 1)
    volumes = {one.name: one.volume_ml for one in structures.structures}
    for name in BLOCKS:  # of the whole mask
        assert volumes[name] == pytest.approx(block_mask(name).sum() * 0.02, rel=1e-6)
    assert structures.notices == []


def test_a_mask_below_another_is_told() -> None:
    structures = together(mask_file("liver", block_mask("liver")), mask_file("again", block_mask("liver")))
    assert structures.notices == ["again cannot be seen: what lies on all of it is shown"]


def test_volumes_of_a_table_count_where_the_label_map_is_still_that_of_the_table(tmp_path: Path) -> None:
    (mask,) = read_mask(write_case(tmp_path)[1])
    whole = block_mask("liver").sum() * 0.02
    assert {one.name: one.volume_ml for one in together(mask).structures} == pytest.approx(
        {"liver": whole, "spleen": 36 * 5 * 0.02, "nodule": 18 * 0.02, "left kidney": 0}
    )
    mask.labels[24:28] = 0  # somebody has edited it
    edited = {one.name: one.volume_ml for one in together(mask).structures}
    assert edited["liver"] == pytest.approx((mask.labels == 1).sum() * 0.02)


def test_the_point_of_a_structure_lies_inside_it() -> None:
    ring = np.zeros(SCAN.voxels.shape, np.uint8)
    ring[10:21, 10:21, 5:9] = 1
    ring[12:19, 12:19, 5:9] = 0
    structures = together(mask_file("ring", ring), mask_file("liver", block_mask("liver")))
    for one in structures.structures:
        index = nibabel.affines.apply_affine(np.linalg.inv(SCAN.affine), one.at)
        assert structures.labels[tuple(np.rint(index).astype(int))] == one.label
    assert np.abs(np.array(structures.structures[1].at) - place_of("liver", SCAN.affine)).max() < 20


@pytest.mark.parametrize("axes", [("R", "A", "S"), ("L", "A", "S"), ("S", "P", "L")])
def test_a_mask_that_is_turned_lies_where_it_did(axes: tuple[str, str, str]) -> None:
    turn = nibabel.orientations.axcodes2ornt(axes)
    turned = nibabel.apply_orientation(label_map(), turn)
    affine = SCAN.affine @ nibabel.orientations.inv_ornt_aff(turn, SCAN.voxels.shape)
    structures = together(mask_file("turned", turned, affine))
    assert np.array_equal(structures.labels, label_map()) and structures.notices == []


def test_a_part_of_the_scan_lies_in_its_place() -> None:
    affine = SCAN.affine.copy()
    affine[:3, 3] = nibabel.affines.apply_affine(affine, [22, 5, 6])
    structures = together(mask_file("part", label_map()[22:38, 5:25, 6:18], affine))
    assert np.array_equal(structures.labels == 1, label_map() == 1) and structures.notices == []


def test_another_grid_shows_the_nearest_label_and_is_told() -> None:
    affine = SCAN.affine @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] = nibabel.affines.apply_affine(SCAN.affine, [-0.25, -0.25, -0.25])
    fine = label_map().repeat(2, 0).repeat(2, 1).repeat(2, 2)
    structures = together(mask_file("fine", fine, affine))
    assert np.array_equal(structures.labels, label_map())
    assert structures.structures[1].volume_ml == pytest.approx(36 * 5 * 0.02)
    assert structures.notices == ["fine.nii.gz has another grid than the scan: each voxel shows the nearest label"]


def test_a_mask_of_another_scan_is_refused_by_name() -> None:
    affine = SCAN.affine.copy()
    affine[:3, 3] += 500
    with pytest.raises(ViewError, match=r"other\.nii\.gz: lies nowhere on ct\.nii\.gz: .* \(460, 470, 600\) mm"):
        together(mask_file("other", label_map(), affine))


def test_more_structures_than_a_byte_counts_and_more_than_there_are() -> None:
    many = np.arange(300, dtype=np.int16).repeat(40)[: 40 * 300].reshape(40, 300, 1)
    scan = Scan(Path("ct.nii.gz"), np.zeros((40, 300, 2), np.float32), np.eye(4), "nifti")
    structures = StructureMap(scan)
    structures.add(mask_file("many", np.concatenate([many, many], axis=2), np.eye(4)))
    assert len(structures.structures) == 299 and int(structures.labels.max()) == 299
    with pytest.raises(ViewError, match="more than 2,000 structures"):
        together(MaskFile(Path("m.nii"), label_map(), SCAN.affine, tuple(NamedLabel(n, "a") for n in range(4, 2010))))
