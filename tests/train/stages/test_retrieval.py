import pytest
import torch
from torch import Tensor
from torch.nn import functional

from train.stages.retrieval import CAPTIONS_WEIGHT, EmbeddedPair, caption_similarity, retrieval, retrieval_of


def naive(volumes: Tensor, reports: Tensor, texts: list[str], at: int) -> float:
    """Share of volumes with a right report among the `at` most similar; among equals wrong ones come first."""
    hits = 0
    for row, text in enumerate(texts):
        scored = [(-float(volumes[row] @ reports[column]), texts[column] == text) for column in range(len(texts))]
        first = sorted(scored)[:at]
        hits += any(right for _, right in first)
    return hits / len(texts)


def pairs(count: int, noise: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    reports = functional.normalize(torch.randn(count, 16, generator=generator), dim=1)
    volumes = reports + noise * torch.randn(count, 16, generator=generator)
    return functional.normalize(volumes, dim=1).double(), reports.double()


def test_it_is_what_it_says_both_ways() -> None:
    volumes, reports = pairs(40, 0.5)
    texts = [f"report {index}" for index in range(40)]
    measures = retrieval(volumes @ reports.T, texts)
    for at in (1, 5, 10):
        assert measures[f"volume_to_report_r@{at}"] == pytest.approx(naive(volumes, reports, texts, at))
        assert measures[f"report_to_volume_r@{at}"] == pytest.approx(naive(reports, volumes, texts, at))
    assert 0.1 < measures["volume_to_report_r@1"] < measures["volume_to_report_r@10"]
    assert measures["chance_r@1"] == pytest.approx(1 / 40)


def test_equal_texts_are_one_report() -> None:
    reports = torch.eye(6)[[0, 0, 2, 3, 0, 5]]
    texts = ["normal", "normal", "a", "b", "normal", "c"]
    measures = retrieval(reports @ reports.T, texts)
    # Of three equal volumes' reports each is as good as another; without ids each would lose to the other two.
    assert measures["volume_to_report_r@1"] == 1
    assert measures["chance_r@1"] == pytest.approx((9 + 3) / 36)


def test_a_tie_is_lost_and_the_rank_counts_from_one() -> None:
    same = torch.ones(4, 2) / 2**0.5
    measures = retrieval(same @ same.T, ["a", "b", "c", "d"])
    assert measures["volume_to_report_r@1"] == 0 and measures["volume_to_report_median_rank"] == 4
    assert measures["volume_to_report_r@5"] == 1
    best = retrieval(torch.eye(4), ["a", "b", "c", "d"])
    assert best["report_to_volume_r@1"] == 1 and best["report_to_volume_median_rank"] == 1


def embedded_pairs(count: int) -> list[EmbeddedPair]:
    """Volumes of three views; reports that say nothing, and captions that say what the second and third view show."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for number in range(count):
        volume = functional.normalize(torch.randn(3, 16, generator=generator), dim=1)
        report = functional.normalize(torch.ones(16), dim=0)
        views = (2, 1) if number else ()
        made.append(EmbeddedPair(volume, report, f"report {number}", volume[list(views)], views))
    return made


def test_a_caption_meets_the_part_that_it_is_about() -> None:
    made = embedded_pairs(6)
    similar = caption_similarity(made)
    for row, volume in enumerate(made):
        for column, report in enumerate(made):
            each = [
                float(volume.volume[view] @ caption)
                for view, caption in zip(report.views, report.captions, strict=True)
            ]
            assert float(similar[row, column]) == pytest.approx(sum(each) / len(each) if each else 0, abs=1e-6)


def test_captions_find_what_the_report_alone_does_not() -> None:
    made = embedded_pairs(12)
    measures = retrieval_of(made)
    by_report = torch.stack([pair.volume[0] @ made[0].report for pair in made])[:, None].expand(-1, 12)
    both = by_report.double() + CAPTIONS_WEIGHT * caption_similarity(made)
    alone = retrieval(by_report, [pair.text for pair in made])
    assert measures["volume_to_report_r@1"] == alone["volume_to_report_r@1"] == 0  # all reports tie
    expected = retrieval(both, [pair.text for pair in made])["volume_to_report_r@1"]
    assert measures["with_captions_volume_to_report_r@1"] == expected > 0.9
    assert "with_captions_chance_r@1" not in measures
