"""Many masks in one label map: nothing vanishes under what holds it, and nothing is lost that the map cannot show."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.connectors import Queries
from models.segmenter import EXTRA_EVIDENCE
from tests.train.inference.segment_cases import ball, hounsfield, presence_of, result_of, scan_of
from train.inference import label_map, mask_volume
from train.inference.label_map import OverlapStore, assign_voxels, nesting_depths, shared_voxels
from train.inference.labelling import label_scan
from train.inference.logit_volume import LogitVolume
from train.inference.options import SegmentOptions
from train.inference.prompts import SegmentPrompt
from train.scans.grid import Grid

SHAPE = (20, 18, 16)
SCAN = scan_of(hounsfield(SHAPE), np.diag([2.0, 3, 4, 1]))

pytestmark = pytest.mark.usefixtures("one_thread")


def kidneys() -> Tensor:
    """A left and a right kidney in one renal organ, the right one touching a liver."""
    left, right = ball(SHAPE, (5, 9, 8), 3.4), ball(SHAPE, (13, 9, 8), 3.4)
    liver = ball(SHAPE, (15, 9, 12), 4)
    # Surer than any of its parts: the highest logit would hide both.
    both = torch.maximum(left, right) + 1
    return torch.stack([left, both, right, liver])


NAMES = ["left kidney", "renal organ", "right kidney", "liver"]


def test_what_lies_in_another_is_shown_over_it() -> None:
    logits = kidneys()
    result = result_of(logits, NAMES, SCAN)
    masks = logits.half().float() > 0
    assert np.array_equal(result.labels == 1, masks[0])
    assert (result.labels == 2).any()
    assert np.array_equal(result.mask("left kidney") | result.mask("right kidney"), (masks[0] | masks[2]).numpy())


def test_every_mask_is_whole_whatever_the_label_map_shows() -> None:
    logits = kidneys()
    result = result_of(logits, NAMES, SCAN)
    for number, name in enumerate(NAMES):
        assert np.array_equal(result.mask(name), (logits[number].half() > 0).numpy()), name


def test_neighbours_share_by_the_highest_logit() -> None:
    logits = kidneys()[[0, 3]]
    logits[1] = ball(SHAPE, (8, 9, 8), 3)
    result = result_of(logits, ["left kidney", "liver"], SCAN)
    both = (logits > 0).all(dim=0)
    assert both.sum() > 20
    best = logits.half().argmax(dim=0) + 1
    assert np.array_equal(result.labels, torch.where((logits > 0).any(dim=0), best, 0))


def test_quantities_are_those_of_the_whole_masks() -> None:
    logits = kidneys()
    rows = result_of(logits, NAMES, SCAN).table
    for number, row in enumerate(rows):
        mask = (logits[number].half() > 0).numpy()
        assert row.volume_ml == pytest.approx(mask.sum() * 24 / 1000)
        assert row.mean_hu == pytest.approx(SCAN.voxels[mask].mean(), rel=1e-5)
        assert row.label == number + 1 and row.present
    assert rows[0].overlaps == {"renal organ": 1.0}
    assert rows[1].overlaps["left kidney"] == pytest.approx(rows[0].volume_ml / rows[1].volume_ml, abs=2e-3)
    assert rows[1].in_label_map_ml < rows[1].volume_ml and rows[0].in_label_map_ml == rows[0].volume_ml


def test_an_absent_structure_has_no_voxel_and_hides_nothing() -> None:
    result = result_of(kidneys(), NAMES, SCAN, presence=[5, -1, 5, 5])
    row = result.table[1]
    assert not row.present and row.presence == pytest.approx(0.268941, abs=1e-5)
    assert row.volume_ml == 0 and row.mean_hu is None and row.overlaps == {}
    assert not result.mask("renal organ").any() and result.mask("left kidney").any()
    assert "renal organ" not in result.table[0].overlaps


def test_two_words_for_one_thing_are_both_told() -> None:
    left = ball(SHAPE, (5, 9, 8), 3.4)
    result = result_of(torch.stack([left, left]), ["left kidney", "kidney on the left"], SCAN)
    assert result.table[0].overlaps == {"kidney on the left": 1.0} and result.table[0].in_label_map_ml == 0
    assert np.array_equal(result.mask("left kidney"), result.mask("kidney on the left"))


@pytest.mark.parametrize("at_once", [1, 300, 1 << 21])
def test_slabs_and_parts_change_nothing(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    whole = result_of(kidneys(), NAMES, SCAN)
    monkeypatch.setattr(label_map, "LOGITS_AT_ONCE", at_once)
    monkeypatch.setattr(mask_volume, "LOGITS_AT_ONCE", at_once)
    monkeypatch.setattr(mask_volume, "SLAB_BYTES", 4 * 4 * 20 * 18 * 3)
    parts = result_of(kidneys(), NAMES, SCAN)
    assert np.array_equal(whole.labels, parts.labels)
    for name in NAMES:
        assert np.array_equal(whole.mask(name), parts.mask(name)), name
    for row, again in zip(whole.table, parts.table, strict=True):
        assert row.model_copy(update={"mean_hu": None}) == again.model_copy(update={"mean_hu": None})
        assert row.mean_hu == pytest.approx(again.mean_hu)


def test_counts_and_depths_are_what_they_are_written_out() -> None:
    torch.manual_seed(0)
    logits = torch.randn(5, 400) + torch.tensor([2.0, 0, -1, -1, -9])[:, None]
    masks = (logits > 0.5).double()
    shared = shared_voxels([logits[:, start : start + 77] for start in range(0, 400, 77)], 5, 0.5)
    assert torch.equal(shared, masks @ masks.T)
    nested = torch.tensor([[100.0, 30, 8, 0], [30, 30, 8, 0], [8, 8, 10, 0], [0, 0, 0, 0]], dtype=torch.float64)
    assert nesting_depths(nested).tolist() == [0, 1, 2, 0]
    assert nesting_depths(torch.tensor([[10.0, 7], [7, 10]], dtype=torch.float64)).tolist() == [0, 0]


def test_voxels_go_to_the_deepest_and_then_the_surest() -> None:
    torch.manual_seed(1)
    logits, depth = torch.randn(6, 500), torch.tensor([0, 2, 0, 1, 1, 2])
    expected = []
    for voxel in logits.T.tolist():
        holders = [(int(depth[number]), logit, number) for number, logit in enumerate(voxel) if logit > 0.3]
        expected.append(max(holders)[2] if holders else -1)
    assert assign_voxels(logits, depth, 0.3).tolist() == expected


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_overlaps_are_given_back(monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr(label_map, "IN_MEMORY_BYTES", in_memory)
    generator = np.random.default_rng(0)
    store, expected = OverlapStore(1000, [4, 2, 9]), {4: list[int](), 2: list[int](), 9: list[int]()}
    for count in (0, 1, 8, 13):
        voxels, masks = generator.integers(0, 1000, count), generator.random((3, count)) > 0.5
        store.add(voxels, masks)
        for row, label in enumerate((4, 2, 9)):
            expected[label] += voxels[masks[row]].tolist()
    assert len(store) == 22
    assert {label: store.voxels_of(label).tolist() for label in (4, 2, 9)} == expected
    assert store.voxels_of(7).tolist() == []


def queries_and_features(prompts: int = 6) -> tuple[tuple[Queries, Queries], Tensor]:
    torch.manual_seed(0)
    features = torch.randn(4, 9, 10, 11).half().float()
    finest, presence = (
        Queries(functional.normalize(torch.randn(prompts, c), dim=1), torch.rand(prompts) * 3, torch.randn(prompts))
        for c in (4, 4 + EXTRA_EVIDENCE)
    )
    return (finest, presence), features


@pytest.mark.parametrize("at_once", [1, 700, 1 << 21])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("presence_threshold", [0.0, 0.6, 1.0])
def test_labels_and_masks_are_what_their_logits_say(
    monkeypatch: pytest.MonkeyPatch, at_once: int, threshold: float, presence_threshold: float
) -> None:
    monkeypatch.setattr(mask_volume, "LOGITS_AT_ONCE", at_once)
    monkeypatch.setattr(label_map, "LOGITS_AT_ONCE", at_once)
    queries, features = queries_and_features()
    shape = (9, 10, 11)
    presence = presence_of(features, queries)
    logits = LogitVolume(features.half().numpy(), presence, Grid(shape, np.eye(4), shape, np.eye(4)), queries[0])
    prompts = tuple(SegmentPrompt(f"prompt {number}", "x") for number in range(6))
    options = SegmentOptions(threshold=threshold, presence_threshold=presence_threshold)
    result = label_scan(scan_of(np.zeros(shape)), logits, prompts, options, "weights")
    probability = queries[0].logits(features[None])[0].sigmoid()
    present = presence.sigmoid() >= presence_threshold
    masks = (probability > threshold) & present[:, None, None, None]
    assert result.labels.dtype == np.uint8
    for number, prompt in enumerate(prompts):
        assert np.array_equal(result.mask(prompt.name), masks[number].numpy())
    # The most deeply nested mask of a voxel comes first, then the surest.
    flat = masks.flatten(1).double()
    rank = nesting_depths(flat @ flat.T)[:, None, None, None] + probability
    best = torch.where(masks, rank, -1.0)
    expected = torch.where(masks.any(dim=0), best.argmax(dim=0) + 1, 0)
    assert np.array_equal(result.labels, expected.numpy())
