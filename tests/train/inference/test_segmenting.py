"""Segmenting by text, against the whole computation written out: one window, linear interpolation, a threshold."""

from dataclasses import replace
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
from models.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
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
from train.data.structure_prompts import build_structure_prompts
from train.inference.errors import SegmentError
from train.inference.label_table import LabelTable
from train.inference.logit_volume import LogitVolume
from train.inference.options import SegmentOptions
from train.inference.result import SegmentationResult
from train.inference.segmenting import segment
from train.inference.windows import Windows
from train.scans.grid import to_network
from train.scans.scan import read_scan

PROMPTS = ["left kidney", "liver", "renal organ"]
SHAPE, SPACING = (22, 18, 14), (1.7, 2.0, 3.1)
EXACT = SegmentOptions(presence_threshold=0, precision="float32")
FIFTH = replace(EXACT, threshold=0.2)

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
        output = model.model(padded[None], prompts, full=True)
        # What was padded is no part of the scan, and holds nothing.
        inside = (slice(None), slice(None), *inner)
        finest = model.model.image_features(padded[None]).levels[0][inside]
        statistics = MaskStatistics.of(output.logits[0][inside], finest)
        presence = presence_logits(model.model.presence_queries(prompts), statistics)
    index = np.stack(np.meshgrid(*(np.arange(size) for size in scan.voxels.shape), indexing="ij")).reshape(3, -1)
    back = np.linalg.inv(grid.affine) @ scan.affine
    places = back[:3, :3] @ index + back[:3, 3:]
    logits = output.logits[0][0][(slice(None), *inner)].numpy()
    sampled = [
        map_coordinates(volume_of_prompt, places, order=1, mode="nearest").reshape(scan.voxels.shape)
        for volume_of_prompt in logits
    ]
    return 1 / (1 + np.exp(-np.stack(sampled))), presence[0].sigmoid().numpy()


@pytest.mark.parametrize("connector", ["mlp", "attention"])
def test_it_is_what_the_whole_computation_gives(request: pytest.FixtureRequest, ct: Path, connector: str) -> None:
    model = request.getfixturevalue(connector)
    probability, presence = by_hand(ct, model, PROMPTS)
    threshold = float(np.quantile(probability, 0.7))
    result = segment(ct, PROMPTS, model, SegmentOptions(threshold=threshold, presence_threshold=0, precision="float32"))
    for number, name in enumerate(PROMPTS):
        np.testing.assert_allclose(result.probability(name), probability[number], atol=2e-3)
        clear = np.abs(probability[number] - threshold) > 2e-3
        assert clear.mean() > 0.7
        assert np.array_equal(result.mask(name)[clear], (probability[number] > threshold)[clear])
        assert result.table[number].presence == pytest.approx(presence[number], abs=1e-4)
        assert 0 < result.table[number].volume_ml < probability[0].size * np.prod(SPACING) / 1000


@pytest.mark.parametrize("axes", ["RAS", "LPI", "SAR", "PIR"])
def test_a_scan_stored_otherwise_gives_the_same_masks(mlp: Checkpoint, ct: Path, folder: Path, axes: str) -> None:
    image = nibabel.load(ct)
    orientation = nibabel.orientations.axcodes2ornt(tuple(axes))
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), orientation)  # type: ignore[attr-defined]
    turned = image.as_reoriented(turn)  # type: ignore[attr-defined]
    nibabel.save(turned, folder / f"{axes}.nii.gz")
    first, turned_result = (result_in(path, mlp) for path in (ct, folder / f"{axes}.nii.gz"))
    assert turned_result.labels.shape == turned.shape
    assert first.labels.any()
    again = nibabel.apply_orientation(first.labels, turn)
    assert (again != turned_result.labels).mean() < 0.002


def result_in(path: Path, model: Checkpoint) -> SegmentationResult:
    return segment(path, PROMPTS, model, FIFTH)


def test_other_formats_give_the_same_masks(mlp: Checkpoint, ct: Path, folder: Path) -> None:
    first = result_in(ct, mlp)
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(ct)), str(folder / "ct.mha"))
    series = dicom_series(folder / "series", hounsfield(SHAPE), affine_of(SPACING, "LPS"))
    for path in (folder / "ct.mha", series):
        again = result_in(path, mlp)
        np.testing.assert_allclose(again.scan.affine, first.scan.affine, atol=1e-4)
        assert (again.labels != first.labels).mean() < 0.002


def test_a_label_map_lies_where_the_scan_lies_and_says_what_is_in_it(mlp: Checkpoint, ct: Path, tmp_path: Path) -> None:
    result = result_in(ct, mlp)
    result.save(tmp_path / "mask.nii.gz")
    mask, scan = nibabel.load(tmp_path / "mask.nii.gz"), nibabel.load(ct)
    assert np.array_equal(np.asarray(mask.dataobj), result.labels)  # type: ignore[attr-defined]
    for form in ("sform", "qform"):
        for of_mask, of_scan in zip(
            *(getattr(image, f"get_{form}")(coded=True) for image in (mask, scan)), strict=True
        ):
            assert np.array_equal(of_mask, of_scan), form
    extension, colours = mask.header.extensions  # type: ignore[attr-defined]
    assert (extension.get_code(), colours.get_code()) == (6, 30)
    record = LabelTable.model_validate_json(extension.get_content())
    assert record == result.record and [row.prompt for row in record.labels] == PROMPTS


def test_prompts_have_names_and_masks_do_not_depend_on_their_company(mlp: Checkpoint, ct: Path) -> None:
    alone = segment(ct, ["renal  organ"], mlp, EXACT)
    both = {"kidney": "left kidney", "both": "renal organ"}
    among = segment(ct, both, mlp, EXACT)
    assert among.names == ("kidney", "both")
    # The text encoder rounds otherwise in another batch.
    np.testing.assert_allclose(alone.probability("renal organ"), among.probability("both"), atol=2e-3)
    assert np.array_equal(among.mask("renal organ"), among.mask("both"))
    with pytest.raises(KeyError, match="'spleen' was not asked for; there are kidney, both"):
        among.mask("spleen")


def test_many_prompts_are_held_against_features(mlp: Checkpoint, ct: Path) -> None:
    names = ["left kidney", "liver", *(f"structure {number}" for number in range(8))]
    few, many = (segment(ct, some, mlp, EXACT) for some in (names[:2], names))
    assert isinstance(few.logits, LogitVolume) and few.logits.queries is None
    assert isinstance(many.logits, LogitVolume) and many.logits.queries is not None
    for name in names[:2]:
        np.testing.assert_allclose(few.probability(name), many.probability(name), atol=5e-3)
        assert (few.mask(name) != many.mask(name)).mean() < 0.01


def test_what_is_judged_absent_is_empty(mlp: Checkpoint, ct: Path) -> None:
    result = segment(ct, PROMPTS, mlp, SegmentOptions(presence_threshold=1))
    assert not result.labels.any() and not any(row.present for row in result.table)


def test_windows_are_counted_and_can_be_stopped(mlp: Checkpoint, ct: Path) -> None:
    class StoppingProgress(Progress):
        total, done = 0, 0

        def start(self, total: int | None, done: int) -> None:
            self.total = total or 0

        def advance(self) -> None:
            self.done += 1

        def raise_if_interrupted(self) -> None:
            if self.done == 3:
                raise Interrupted

    progress = StoppingProgress()
    windows = Windows((16, 16, 64), overlap=0.5)
    with pytest.raises(Interrupted):
        segment(ct, PROMPTS, mlp, windows=windows, progress=progress)
    assert progress.done == 3 and progress.total > 3


def test_other_checkpoints_are_told_what_makes_the_right_one(mlp: Checkpoint, ct: Path, tmp_path: Path) -> None:
    save_checkpoint(STUNet("tiny"), tmp_path / "encoder", PREPROCESSING)
    save_checkpoint(STUNet("tiny", num_classes=3), tmp_path / "nameless", PREPROCESSING)
    assert isinstance(mlp.model, TextSegmenter) and isinstance(mlp.model.text, TextEncoder)
    save_checkpoint(Aligner(STUNet("tiny"), mlp.model.text), tmp_path / "aligner", PREPROCESSING)
    for kind, told in (
        ("encoder", "no outputs for classes.*`ovct train segment DATASET"),
        ("nameless", "3 outputs whose names it does not say"),
        ("aligner", "aligner is .*ovct train align.*`ovct train segment DATASET` makes"),
    ):
        with pytest.raises((SegmentError, CheckpointError), match=told):
            segment(ct, PROMPTS, tmp_path / kind)


def test_a_checkpoint_without_text_says_so(ct: Path, tmp_path: Path) -> None:
    save_checkpoint(TextSegmenter(STUNet("tiny"), None, embedding_dim=8, hidden=8, levels=1), tmp_path, PREPROCESSING)
    with pytest.raises(SegmentError, match="has no text encoder"):
        segment(ct, PROMPTS, tmp_path)


@pytest.mark.parametrize(
    ("prompts", "more", "message"),
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
    mlp: Checkpoint, ct: Path, prompts: list[str], more: dict[str, float], message: str
) -> None:
    with pytest.raises(SegmentError, match=message):
        segment(ct, prompts, mlp, SegmentOptions(**more))  # type: ignore[arg-type]


def test_a_scan_in_memory_will_do(mlp: Checkpoint, ct: Path) -> None:
    scan = read_scan(ct)
    bare = scan_of(scan.voxels, scan.affine)
    assert np.array_equal(
        result_in(ct, mlp).labels,
        segment(bare, PROMPTS, mlp, FIFTH).labels,
    )


def test_a_group_is_the_union_of_its_members_and_another_name_the_same_structure(tmp_path: Path) -> None:
    structure_prompts = build_structure_prompts(("kidney_left", "kidney_right", "gallbladder"))
    model = load_checkpoint(tiny_checkpoint(tmp_path / "checkpoint", prompts=structure_prompts.to_json()))
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((24, 20, 16)), affine_of((2, 2, 2)))
    prompts = ["kidneys", "left kidney", "right kidney", "vesica fellea", "gallbladder"]
    result = segment(ct, prompts, model, SegmentOptions(presence_threshold=0))
    both = result.mask("left kidney") | result.mask("right kidney")
    assert np.array_equal(result.mask("kidneys"), both)
    assert np.array_equal(result.mask("vesica fellea"), result.mask("gallbladder"))
    probability = np.maximum(result.probability("left kidney"), result.probability("right kidney"))
    np.testing.assert_allclose(result.probability("kidneys"), probability, atol=1e-3)
    warnings = [text for text in result.record.warnings if "taken as" in text]
    assert len(warnings) == 2 and "left kidney + right kidney" in warnings[0]

    alone = segment(ct, prompts, model, SegmentOptions(presence_threshold=0, vocabulary=False))
    assert not any("taken as" in text for text in alone.record.warnings)
    assert not np.array_equal(alone.mask("kidneys"), both)
    assert np.array_equal(alone.mask("left kidney"), result.mask("left kidney"))
