"""Pictures of the worst masks: which are the worst, and that a picture shows the same however a scan is stored."""

from pathlib import Path

import numpy as np
import pytest

from curation.runtime.progress import Progress
from tests.train.evaluation.evaluations import WHOLE, Oracle, all_of, corner, cube, data_set, header_of, shifted
from tests.train.evaluation.scored_cases import row
from train.evaluation.evaluate import measure_cases
from train.evaluation.metrics import MaskCrop
from train.evaluation.previews import Failure, largest_false_masks, lowest_dice, masks_beside, preview, save_masks
from train.scans.saving import save_nifti
from train.scans.scan import Scan, read_scan
from train.viewer.content import scan_and_masks
from train.viewer.mask_files import read_mask
from train.viewer.structures import StructureMap


def test_pictures_are_of_the_worst(tmp_path: Path) -> None:
    dataset = data_set(tmp_path / "set", {"s1": WHOLE, "s2": ("liver", "kidney_left"), "s3": WHOLE})
    changes = {("s1", "liver"): shifted, ("s2", "spleen"): corner}
    (tmp_path / "out").mkdir()
    oracle, header = Oracle(dataset, changes), header_of(dataset)
    measure_cases(dataset, all_of(dataset), header, oracle, [], tmp_path / "out", Progress())
    pictures = sorted((tmp_path / "out" / "previews").glob("*.png"))
    assert any(path.name.startswith("s1-liver-") for path in pictures)
    assert any(path.name.startswith("s2-spleen-") for path in pictures)
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in pictures)
    masks = sorted(path.name for path in (tmp_path / "out" / "previews").glob("*.nii.gz"))
    assert masks == [masks_beside(path.name) for path in pictures]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_picture_is_the_same_however_the_scan_is_stored(order: tuple[int, int, int]) -> None:
    voxels = np.random.default_rng(0).normal(0, 100, (24, 20, 16)).astype(np.float32)
    affine = np.diag([1.5, 2.0, 3.0, 1.0])
    drawn = [_drawn(Scan(Path("a"), voxels, affine, "nifti"), cube("liver"), cube("spleen"))]
    turn = np.zeros((4, 4))
    turn[[*order, 3], range(4)] = 1
    stored = voxels.transpose(order)
    masks = [cube(name).transpose(order) for name in ("liver", "spleen")]
    drawn.append(_drawn(Scan(Path("a"), stored, affine @ turn, "nifti"), *masks))
    for as_is, reordered in zip(*drawn, strict=True):
        np.testing.assert_array_equal(as_is, reordered)


def _drawn(scan: Scan, prediction: np.ndarray, reference: np.ndarray) -> list[np.ndarray]:
    figure = preview(scan, MaskCrop.of(prediction), MaskCrop.of(reference))
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


def test_the_worst_are_not_all_of_one_structure() -> None:
    rows = [Failure(f"c{number}", row("name", "liver", "liver", number / 100)) for number in range(50)]
    rows += [Failure("c0", row("name", "spleen", "spleen", 0.9)), Failure("c0", row("name", "aorta", "aorta", 1.0))]
    assert [(failure.case, failure.row.subject) for failure in lowest_dice(rows)] == [
        ("c0", "liver"), ("c1", "liver"), ("c2", "liver"), ("c0", "spleen"),
    ]  # fmt: skip
    false = [Failure(f"c{ml}", row("name", f"s{ml}", "s", None, predicted_ml=float(ml))) for ml in range(20)]
    assert [failure.case for failure in largest_false_masks(false)] == [f"c{ml}" for ml in range(19, 11, -1)]


def test_the_masks_beside_a_picture_lie_on_their_scan_with_names_and_colours(tmp_path: Path) -> None:
    rng, affine = np.random.default_rng(0), np.diag([1.5, 2.0, 3.0, 1.0])
    scan_path = tmp_path / "ct.nii.gz"
    save_nifti(scan_path, rng.normal(0, 300, (24, 20, 16)).astype(np.int16), affine)
    prediction, reference = cube("liver"), cube("spleen") | cube("liver")
    prediction[1, 1, 1] = True
    save_masks(tmp_path / "masks.nii.gz", read_scan(scan_path), MaskCrop.of(prediction), MaskCrop.of(reference))
    scan, masks = scan_and_masks([tmp_path / "masks.nii.gz"])
    assert (scan, masks) == (scan_path, [tmp_path / "masks.nii.gz"])
    structures = StructureMap(read_scan(scan_path))
    for mask in read_mask(masks[0]):
        structures.add(mask)
    named = {one.name.partition(":")[0]: structures.labels == one.label for one in structures.structures}
    assert np.array_equal(named["reference and prediction"], prediction & reference)
    assert np.array_equal(named["reference alone"], reference & ~prediction)
    assert np.array_equal(named["prediction alone"], prediction & ~reference)
    assert structures.notices == [] and all(one.colour for one in structures.structures)
