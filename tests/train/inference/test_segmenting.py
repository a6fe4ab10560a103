"""Segmenting by text, against the whole computation written out: one window, linear interpolation, a threshold."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
import torch
from scipy.ndimage import map_coordinates

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import Checkpoint, load_checkpoint, read_record, save_checkpoint
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from models.stunet import STUNet
from models.text import TextEncoder
from tests.train.inference.segment_cases import (
    PREPROCESSING,
    affine_of,
    dicom_series,
    hounsfield,
    nifti,
    scan_of,
    tiny_checkpoint,
)
from train.inference.label_table import LabelTable
from train.inference.prompts import SegmentError
from train.inference.segmenting import Segmented, segment, window_size
from train.inference.windows import Windows
from train.scans.grid import to_network
from train.scans.scan import read_scan

PROMPTS = ["left kidney", "liver", "renal organ"]
SHAPE, SPACING = (22, 18, 14), (1.7, 2.0, 3.1)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("segmenting")


@pytest.fixture(scope="module")
def mlp(folder: Path) -> Checkpoint:
    return load_checkpoint(tiny_checkpoint(folder / "a"))


@pytest.fixture(scope="module")
def attention(folder: Path) -> Checkpoint:
    return load_checkpoint(tiny_checkpoint(folder / "b", "cross_attention"))


@pytest.fixture(scope="module")
def ct(folder: Path) -> Path:
    return nifti(folder / "ct.nii.gz", hounsfield(SHAPE), affine_of(SPACING, "LPS"))


def by_hand(ct: Path, model: Checkpoint, prompts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (P, X, Y, Z) and presence (P), as slowly and plainly as can be."""
    assert isinstance(model.model, TextSegmenter)
    scan = read_scan(ct)
    volume, grid = to_network(scan, PREPROCESSING)
    padded = volume.new_full((1, 32, 32, 32), float(volume.min()))
    margins = [(32 - size) // 2 for size in grid.shape]
    inner = tuple(slice(margin, margin + size) for margin, size in zip(margins, grid.shape, strict=True))
    padded[0][inner] = volume[0]
    with torch.no_grad():
        result = model.model(padded[None], prompts, full=True)
        # What was padded is no part of the scan, and holds nothing.
        inside = (slice(None), slice(None), *inner)
        finest = model.model.image_features(padded[None]).levels[0][inside]
        presence = presence_logits(
            model.model.presence_queries(prompts), MaskStatistics.of(result.logits[0][inside], finest)
        )
    index = np.stack(np.meshgrid(*(np.arange(size) for size in scan.voxels.shape), indexing="ij")).reshape(3, -1)
    back = np.linalg.inv(grid.affine) @ scan.affine
    places = back[:3, :3] @ index + back[:3, 3:]
    logits = result.logits[0][0][(slice(None), *inner)].numpy()
    sampled = [map_coordinates(one, places, order=1, mode="nearest").reshape(scan.voxels.shape) for one in logits]
    return 1 / (1 + np.exp(-np.stack(sampled))), presence[0].sigmoid().numpy()


@pytest.mark.parametrize("connector", ["mlp", "attention"])
def test_it_is_what_the_whole_computation_gives(request: pytest.FixtureRequest, ct: Path, connector: str) -> None:
    model = request.getfixturevalue(connector)
    probability, presence = by_hand(ct, model, PROMPTS)
    threshold = float(np.quantile(probability, 0.7))
    found = segment(ct, PROMPTS, model, threshold=threshold, presence_threshold=0, precision="float32")
    for number, name in enumerate(PROMPTS):
        np.testing.assert_allclose(found.probability(name), probability[number], atol=2e-3)
        clear = np.abs(probability[number] - threshold) > 2e-3
        assert clear.mean() > 0.7
        assert np.array_equal(found.mask(name)[clear], (probability[number] > threshold)[clear])
        assert found.table[number].presence == pytest.approx(presence[number], abs=1e-4)
        assert 0 < found.table[number].volume_ml < probability[0].size * np.prod(SPACING) / 1000


@pytest.mark.parametrize("axes", ["RAS", "LPI", "SAR", "PIR"])
def test_a_scan_stored_otherwise_gives_the_same_masks(mlp: Checkpoint, ct: Path, folder: Path, axes: str) -> None:
    image = nibabel.load(ct)
    wanted = nibabel.orientations.axcodes2ornt(tuple(axes))
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), wanted)  # type: ignore[attr-defined]
    turned = image.as_reoriented(turn)  # type: ignore[attr-defined]
    nibabel.save(turned, folder / f"{axes}.nii.gz")
    first, other = (found_in(path, mlp) for path in (ct, folder / f"{axes}.nii.gz"))
    assert other.labels.shape == turned.shape
    assert first.labels.any()
    again = nibabel.apply_orientation(first.labels, turn)
    assert (again != other.labels).mean() < 0.002


def found_in(path: Path, model: Checkpoint) -> Segmented:
    return segment(path, PROMPTS, model, presence_threshold=0, precision="float32", threshold=0.2)


def test_other_formats_give_the_same_masks(mlp: Checkpoint, ct: Path, folder: Path) -> None:
    first = found_in(ct, mlp)
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(ct)), str(folder / "ct.mha"))
    series = dicom_series(folder / "series", hounsfield(SHAPE), affine_of(SPACING, "LPS"))
    for path in (folder / "ct.mha", series):
        other = found_in(path, mlp)
        np.testing.assert_allclose(other.scan.affine, first.scan.affine, atol=1e-4)
        assert (other.labels != first.labels).mean() < 0.002


def test_a_label_map_lies_where_the_scan_lies_and_says_what_is_in_it(mlp: Checkpoint, ct: Path, tmp_path: Path) -> None:
    found = found_in(ct, mlp)
    found.save(tmp_path / "mask.nii.gz")
    mask, scan = nibabel.load(tmp_path / "mask.nii.gz"), nibabel.load(ct)
    assert np.array_equal(np.asarray(mask.dataobj), found.labels)  # type: ignore[attr-defined]
    for form in ("sform", "qform"):
        for one, other in zip(*(getattr(image, f"get_{form}")(coded=True) for image in (mask, scan)), strict=True):
            assert np.array_equal(one, other), form
    (extension,) = mask.header.extensions  # type: ignore[attr-defined]
    assert extension.get_code() == 6
    record = LabelTable.model_validate_json(extension.get_content())
    assert record == found.record and [row.prompt for row in record.labels] == PROMPTS


def test_prompts_have_names_and_masks_do_not_depend_on_their_company(mlp: Checkpoint, ct: Path) -> None:
    alone = segment(ct, ["renal  organ"], mlp, presence_threshold=0, precision="float32")
    both = {"kidney": "left kidney", "both": "renal organ"}
    among = segment(ct, both, mlp, presence_threshold=0, precision="float32")
    assert among.names == ("kidney", "both")
    # The text encoder rounds otherwise in another batch.
    np.testing.assert_allclose(alone.probability("renal organ"), among.probability("both"), atol=2e-3)
    assert np.array_equal(among.mask("renal organ"), among.mask("both"))
    with pytest.raises(KeyError, match="'spleen' was not asked for; there are kidney, both"):
        among.mask("spleen")


def test_many_prompts_are_held_against_features(mlp: Checkpoint, ct: Path) -> None:
    names = ["left kidney", "liver", *(f"structure {number}" for number in range(8))]
    few, many = (segment(ct, some, mlp, presence_threshold=0, precision="float32") for some in (names[:2], names))
    assert few.field.queries is None and many.field.queries is not None
    for name in names[:2]:
        np.testing.assert_allclose(few.probability(name), many.probability(name), atol=5e-3)
        assert (few.mask(name) != many.mask(name)).mean() < 0.01


def test_what_is_judged_absent_is_empty(mlp: Checkpoint, ct: Path) -> None:
    found = segment(ct, PROMPTS, mlp, presence_threshold=1)
    assert not found.labels.any() and not any(row.present for row in found.table)


def test_windows_are_counted_and_can_be_stopped(mlp: Checkpoint, ct: Path) -> None:
    class Three(Progress):
        total, done = 0, 0

        def start(self, total: int | None, done: int) -> None:
            self.total = total or 0

        def advance(self) -> None:
            self.done += 1

        def raise_if_interrupted(self) -> None:
            if self.done == 3:
                raise Interrupted

    progress = Three()
    windows = Windows((16, 16, 64), overlap=0.5)
    with pytest.raises(Interrupted):
        segment(ct, PROMPTS, mlp, windows=windows, progress=progress)
    assert progress.done == 3 and progress.total > 3


def test_the_window_is_that_of_the_training_or_what_the_volume_needs(mlp: Checkpoint, folder: Path) -> None:
    trained = read_record(tiny_checkpoint(folder / "c", patch=[48, 32, 64]))
    assert window_size(trained, (20, 20, 20)) == (48, 32, 64)
    assert window_size(mlp.record, (20, 40, 300)) == (32, 48, 128)


def test_other_checkpoints_are_told_what_makes_the_right_one(mlp: Checkpoint, ct: Path, tmp_path: Path) -> None:
    save_checkpoint(STUNet("tiny", num_classes=3), tmp_path / "stunet", PREPROCESSING)
    assert isinstance(mlp.model, TextSegmenter) and isinstance(mlp.model.text, TextEncoder)
    save_checkpoint(Aligner(STUNet("tiny"), mlp.model.text), tmp_path / "aligner", PREPROCESSING)
    for kind, command in (("stunet", "ovct train pretrain"), ("aligner", "ovct train align")):
        with pytest.raises(SegmentError, match=f"{kind} is .*{command}.*`ovct train segment DATASET` makes"):
            segment(ct, PROMPTS, tmp_path / kind)


def test_a_checkpoint_without_text_says_so(ct: Path, tmp_path: Path) -> None:
    save_checkpoint(TextSegmenter(STUNet("tiny"), None, embedding_dim=8, hidden=8, levels=1), tmp_path, PREPROCESSING)
    with pytest.raises(SegmentError, match="has no text encoder"):
        segment(ct, PROMPTS, tmp_path)


@pytest.mark.parametrize(
    ("prompts", "more", "told"),
    [
        ([], {}, "one prompt at least"),
        (["liver", " "], {}, "prompt 2 is empty"),
        ("liver", {}, r"\['liver'\] is one prompt"),
        (["a long " * 30], {}, "tokens, and this checkpoint's text encoder reads 48"),
        (["liver"], {"threshold": 1.5}, "threshold 1.5: write a probability"),
        (["liver"], {"presence_threshold": -1}, "presence_threshold -1"),
    ],
)
def test_what_is_wrong_is_told(
    mlp: Checkpoint, ct: Path, prompts: list[str], more: dict[str, float], told: str
) -> None:
    with pytest.raises(SegmentError, match=told):
        segment(ct, prompts, mlp, **more)  # type: ignore[arg-type]


def test_a_scan_in_memory_will_do(mlp: Checkpoint, ct: Path) -> None:
    scan = read_scan(ct)
    bare = scan_of(scan.voxels, scan.affine)
    assert np.array_equal(
        found_in(ct, mlp).labels,
        segment(bare, PROMPTS, mlp, presence_threshold=0, precision="float32", threshold=0.2).labels,
    )
