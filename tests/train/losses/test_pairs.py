from __future__ import annotations

import torch

from train.losses.pairs import ContrastivePairs, pair_up

# Two reports with two captions each and a third with none; text 7 is in both, in different slots.
VALID = torch.tensor([[True, True], [True, True], [False, False]])
TEXTS = torch.tensor([[7, -1], [4, 7], [7, 7]])
SCANS = torch.tensor([5, 6, 5])


def left_out(pairs: ContrastivePairs, softmax: int) -> dict[int, list[int]]:
    """For each caption in a softmax the images that are left out."""
    (rows,) = (rows for number, rows in pairs.chunks(9) if number == softmax)
    out = pairs.left_out(softmax, rows)
    return {row: out[place].nonzero().flatten().tolist() for place, row in enumerate(rows.tolist())}


def test_each_granularity_has_a_softmax_of_its_own_or_all_share_one() -> None:
    apart, joint = (pair_up(VALID, None, None, joint=joint) for joint in (False, True))
    assert [(number, rows.tolist()) for number, rows in apart.chunks(9)] == [(0, [0, 2]), (1, [1, 3])]
    assert [(number, rows.tolist()) for number, rows in apart.chunks(1)] == [(0, [0]), (0, [2]), (1, [1]), (1, [3])]
    assert [(number, rows.tolist()) for number, rows in joint.chunks(3)] == [(0, [0, 1, 2]), (0, [3])]
    assert joint.own_image.tolist() == [0, 0, 1, 1, 2, 2]


def test_an_image_without_a_caption_is_left_out() -> None:
    valid = torch.tensor([[True, False], [True, True], [False, False]])
    apart, joint = (pair_up(valid, None, None, joint=joint) for joint in (False, True))
    assert left_out(apart, 0) == {0: [2], 2: [2]}
    assert left_out(apart, 1) == {3: [0, 2]}
    assert left_out(joint, 0) == {0: [2], 2: [2], 3: [2]}


def test_the_same_text_or_scan_is_left_out_and_the_own_image_never() -> None:
    by_text = pair_up(VALID, TEXTS, None, joint=True)
    # The third report's 7 is not there.
    assert left_out(by_text, 0) == {0: [1, 2], 1: [2], 2: [2], 3: [0, 2]}
    by_scan = pair_up(torch.ones(3, 2, dtype=torch.bool), None, SCANS, joint=True)
    assert left_out(by_scan, 0) == {0: [2], 1: [2], 2: [], 3: [], 4: [0], 5: [0]}
