from pathlib import Path

import torch

from train.data.caption_pairs import Pair
from train.data.caption_sources import OrganCaption
from train.data.cases import Case
from train.data.report_samples import ReportSample, ReportSamples, report_part, text_id


def pair(number: int, captions: int, text: str | None = None) -> Pair:
    case = Case(f"c{number}", f"p{number}", f"s{number}", Path(f"{number}.nii.gz"))
    said = tuple(OrganCaption("liver", f"caption {number}.{place}", "") for place in range(captions))
    return Pair(case, f"r{number}", f"report {number}" if text is None else text, said)


def samples(pairs: list[Pair], count: int = 3, batch: int = 2) -> ReportSamples:
    return ReportSamples(pairs, lambda case: torch.tensor([float(case.id[1:])]), count, batch, seed=0)


def test_k_captions_of_the_own_report_are_drawn_anew() -> None:
    drawn = samples([pair(number, 6) for number in range(4)])
    of_one: set[tuple[str, ...]] = set()
    for number in range(80):
        sample = drawn[number]
        own = sample.report.removeprefix("report ")
        assert sample.scan == f"s{own}" and float(sample.volume) == float(own)
        assert len(set(sample.captions)) == 3
        assert all(caption.startswith(f"caption {own}.") for caption in sample.captions)
        of_one |= {sample.captions} if own == "0" else set()
    assert len(of_one) > 10 and {caption for each in of_one for caption in each} == {f"caption 0.{i}" for i in range(6)}
    assert drawn[7] == samples([pair(number, 6) for number in range(4)])[7]


def test_fewer_captions_than_k_and_none() -> None:
    drawn = samples([pair(0, 2), pair(1, 0)], batch=1)
    found = {sample.scan: sample.captions for sample in (drawn[number] for number in range(4))}
    assert set(found["s0"]) == {"caption 0.0", "caption 0.1"} and found["s1"] == ()
    twice = Pair(pair(0, 0).case, "r", "t", (OrganCaption("liver", "same", ""), OrganCaption("spleen", "same", "")))
    assert samples([twice], batch=1)[0].captions == ("same",)


def sample(volume: torch.Tensor, report: str, *captions: str, scan: str = "s") -> ReportSample:
    return ReportSample(volume, report, captions, scan)


def test_a_part_holds_each_text_once_and_tells_what_is_missing() -> None:
    part = report_part(
        [
            sample(torch.zeros(5), "normal", "liver normal", "normal"),
            sample(torch.ones(5), "  ", "liver normal", scan="t"),
            sample(torch.ones(5), "normal"),
        ],
        3,
    )
    assert part.texts == ["normal", "liver normal"]
    assert part.reports.tolist() == [0, -1, 0]
    assert part.captions.tolist() == [[1, 0, -1], [1, -1, -1], [-1, -1, -1]]
    assert isinstance(part.volumes, torch.Tensor) and part.volumes.shape == (3, 5)
    assert part.scans[0] == part.scans[2] != part.scans[1]
    assert part.text_ids().shape == (2,) and part.text_ids().dtype == torch.long


def test_whole_volumes_may_have_any_size() -> None:
    part = report_part([sample(torch.zeros(1, 4, 5, 6), "a"), sample(torch.zeros(1, 7, 5, 6), "b")], 1)
    assert [each.shape for each in part.volumes] == [(1, 4, 5, 6), (1, 7, 5, 6)]


def test_ids_of_texts_and_scans() -> None:
    assert text_id("No  Effusion.\n") == text_id("no effusion.") != text_id("no effusions.")
    assert 0 <= text_id("") < 2**63 and len({text_id(str(number)) for number in range(1000)}) == 1000
