"""Many masks in one label map: nothing vanishes under what holds it, and nothing is lost that the map cannot show."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.train.inference.segment_cases import ball, found_of, hounsfield, scan_of
from train.inference import logit_field, painting
from train.inference import painting as claims
from train.inference.painting import Claims, depths, overlaps, winners

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


def test_what_lies_in_another_is_painted_over_it() -> None:
    logits = kidneys()
    found = found_of(logits, NAMES, SCAN)
    own = logits.half().float() > 0
    assert np.array_equal(found.labels == 1, own[0])
    assert (found.labels == 2).any()
    assert np.array_equal(found.mask("left kidney") | found.mask("right kidney"), (own[0] | own[2]).numpy())


def test_every_mask_is_whole_whatever_the_label_map_shows() -> None:
    logits = kidneys()
    found = found_of(logits, NAMES, SCAN)
    for number, name in enumerate(NAMES):
        assert np.array_equal(found.mask(name), (logits[number].half() > 0).numpy()), name


def test_neighbours_share_by_the_highest_logit() -> None:
    logits = kidneys()[[0, 3]]
    logits[1] = ball(SHAPE, (8, 9, 8), 3)
    found = found_of(logits, ["left kidney", "liver"], SCAN)
    both = (logits > 0).all(dim=0)
    assert both.sum() > 20
    best = logits.half().argmax(dim=0) + 1
    assert np.array_equal(found.labels, torch.where((logits > 0).any(dim=0), best, 0))


def test_quantities_are_those_of_the_whole_masks() -> None:
    logits = kidneys()
    rows = found_of(logits, NAMES, SCAN).table
    for number, row in enumerate(rows):
        mask = (logits[number].half() > 0).numpy()
        assert row.volume_ml == pytest.approx(mask.sum() * 24 / 1000)
        assert row.mean_hu == pytest.approx(SCAN.voxels[mask].mean(), rel=1e-5)
        assert row.label == number + 1 and row.present
    assert rows[0].overlaps == {"renal organ": 1.0}
    assert rows[1].overlaps["left kidney"] == pytest.approx(rows[0].volume_ml / rows[1].volume_ml, abs=2e-3)
    assert rows[1].in_label_map_ml < rows[1].volume_ml and rows[0].in_label_map_ml == rows[0].volume_ml


def test_an_absent_structure_has_no_voxel_and_hides_nothing() -> None:
    found = found_of(kidneys(), NAMES, SCAN, presence=[5, -1, 5, 5])
    row = found.table[1]
    assert not row.present and row.presence == pytest.approx(0.268941, abs=1e-5)
    assert row.volume_ml == 0 and row.mean_hu is None and row.overlaps == {}
    assert not found.mask("renal organ").any() and found.mask("left kidney").any()
    assert "renal organ" not in found.table[0].overlaps


def test_two_words_for_one_thing_are_both_told() -> None:
    left = ball(SHAPE, (5, 9, 8), 3.4)
    found = found_of(torch.stack([left, left]), ["left kidney", "kidney on the left"], SCAN)
    assert found.table[0].overlaps == {"kidney on the left": 1.0} and found.table[0].in_label_map_ml == 0
    assert np.array_equal(found.mask("left kidney"), found.mask("kidney on the left"))


@pytest.mark.parametrize("at_once", [1, 300, 1 << 21])
def test_slabs_and_parts_change_nothing(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    whole = found_of(kidneys(), NAMES, SCAN)
    monkeypatch.setattr(painting, "PAINTED_AT_ONCE", at_once)
    monkeypatch.setattr(logit_field, "LOGITS_AT_ONCE", at_once)
    monkeypatch.setattr(logit_field, "SLAB_BYTES", 4 * 4 * 20 * 18 * 3)
    parts = found_of(kidneys(), NAMES, SCAN)
    assert np.array_equal(whole.labels, parts.labels)
    for name in NAMES:
        assert np.array_equal(whole.mask(name), parts.mask(name)), name
    for one, other in zip(whole.table, parts.table, strict=True):
        assert one.model_copy(update={"mean_hu": None}) == other.model_copy(update={"mean_hu": None})
        assert one.mean_hu == pytest.approx(other.mean_hu)


def test_counts_and_depths_are_what_they_are_written_out() -> None:
    torch.manual_seed(0)
    logits = torch.randn(5, 400) + torch.tensor([2.0, 0, -1, -1, -9])[:, None]
    masks = (logits > 0.5).double()
    shared = overlaps([logits[:, start : start + 77] for start in range(0, 400, 77)], 5, 0.5)
    assert torch.equal(shared, masks @ masks.T)
    nested = torch.tensor([[100.0, 30, 8, 0], [30, 30, 8, 0], [8, 8, 10, 0], [0, 0, 0, 0]], dtype=torch.float64)
    assert depths(nested).tolist() == [0, 1, 2, 0]
    assert depths(torch.tensor([[10.0, 7], [7, 10]], dtype=torch.float64)).tolist() == [0, 0]


def test_winners_are_the_deepest_and_then_the_surest() -> None:
    torch.manual_seed(1)
    logits, depth = torch.randn(6, 500), torch.tensor([0, 2, 0, 1, 1, 2])
    expected = []
    for voxel in logits.T.tolist():
        claims = [(int(depth[number]), logit, number) for number, logit in enumerate(voxel) if logit > 0.3]
        expected.append(max(claims)[2] if claims else -1)
    assert winners(logits, depth, 0.3).tolist() == expected


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_claims_are_given_back(monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr(claims, "IN_MEMORY_BYTES", in_memory)
    generator = np.random.default_rng(0)
    kept, expected = Claims(1000, [4, 2, 9]), {4: list[int](), 2: list[int](), 9: list[int]()}
    for count in (0, 1, 8, 13):
        places, masks = generator.integers(0, 1000, count), generator.random((3, count)) > 0.5
        kept.add(places, masks)
        for row, label in enumerate((4, 2, 9)):
            expected[label] += places[masks[row]].tolist()
    assert len(kept) == 22
    assert {label: kept.of(label).tolist() for label in (4, 2, 9)} == expected
    assert kept.of(7).tolist() == []
