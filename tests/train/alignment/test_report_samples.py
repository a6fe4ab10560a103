"""Samples of reports with captions, and their batches."""

from pathlib import Path

import torch

from prompts.vocabulary import load_vocabulary
from train.alignment.organ_views import OrganViews
from train.alignment.report_samples import ReportSample, ReportSamples, SampleCaption, collate_reports, text_id
from train.data.caption_pairs import CaptionPair
from train.data.caption_sources import OrganCaption
from train.data.cases import Case


def pair(number: int, captions: int, text: str | None = None) -> CaptionPair:
    case = Case(f"c{number}", f"p{number}", f"s{number}", Path(f"{number}.nii.gz"))
    organ_captions = tuple(OrganCaption("liver", f"caption {number}.{place}", "") for place in range(captions))
    return CaptionPair(case, f"r{number}", f"report {number}" if text is None else text, organ_captions)


def samples(pairs: list[CaptionPair], count: int = 3, batch: int = 2) -> ReportSamples:
    return ReportSamples(pairs, lambda case: torch.tensor([float(case.id[1:])]), count, batch, seed=0)


def test_k_captions_of_the_own_report_are_drawn_anew() -> None:
    dataset = samples([pair(number, 6) for number in range(4)])
    of_one: set[tuple[str, ...]] = set()
    for number in range(80):
        sample = dataset[number]
        number_of_report = sample.report.removeprefix("report ")
        assert sample.scan == f"s{number_of_report}" and float(sample.volume) == float(number_of_report)
        assert len(set(sample.captions)) == 3
        texts = tuple(caption.text for caption in sample.captions)
        assert all(text.startswith(f"caption {number_of_report}.") for text in texts)
        of_one |= {texts} if number_of_report == "0" else set()
    assert len(of_one) > 10 and {caption for captions in of_one for caption in captions} == {
        f"caption 0.{i}" for i in range(6)
    }
    assert dataset[7] == samples([pair(number, 6) for number in range(4)])[7]


def test_fewer_captions_than_k_and_none() -> None:
    dataset = samples([pair(0, 2), pair(1, 0)], batch=1)
    captions_by_scan = {
        sample.scan: tuple(caption.text for caption in sample.captions)
        for sample in (dataset[number] for number in range(4))
    }
    assert set(captions_by_scan["s0"]) == {"caption 0.0", "caption 0.1"} and captions_by_scan["s1"] == ()
    twice = CaptionPair(
        pair(0, 0).case, "r", "t", (OrganCaption("liver", "same", ""), OrganCaption("spleen", "same", ""))
    )
    assert [caption.text for caption in samples([twice], batch=1)[0].captions] == ["same"]


def test_what_is_said_of_which_organ() -> None:
    said = (
        OrganCaption("liver", "a", "normal"),
        OrganCaption("spleen", "b", "abnormal"),
        OrganCaption("aorta", "c", ""),
    )
    pairs = [CaptionPair(pair(0, 0).case, "r", "t", said), pair(1, 4)]
    views = OrganViews(["liver", "spleen", "aorta"], ["background", "spleen", "liver"], load_vocabulary())
    opposites = {"b": ["not b", "no b"]}
    dataset = ReportSamples(
        pairs, lambda case: torch.zeros(1), 3, 1, seed=0, views=views,
        opposites=lambda pair, caption: opposites.get(caption.caption, []),
    )  # fmt: skip
    sample = next(sample for sample in (dataset[number] for number in range(2)) if sample.scan == "s0")
    by_text = {caption.text: caption for caption in sample.captions}
    assert by_text["a"] == ("a", views.number("liver"), True, "")
    assert by_text["b"][:3] == ("b", views.number("spleen"), False) and by_text["b"].opposite in opposites["b"]
    assert by_text["c"] == ("c", 0, False, "")
    # Filled up to the longest report, so that batches of all processes have one width.
    assert sample.said == (text_id("a"), text_id("b"), text_id("c"), -1)
    assert sample.unremarkable == (False, True, False)
    batch = collate_reports([sample], 3)
    assert batch.said.tolist() == [list(sample.said)] and batch.unremarkable.tolist() == [[False, True, False]]
    place = [caption.text for caption in sample.captions].index("b")
    assert batch.opposites[0, place] >= 0 and batch.texts[batch.opposites[0, place]] == by_text["b"].opposite
    assert batch.opposites[0].tolist().count(-1) == 2
    assert batch.views[0].tolist() == [caption.view for caption in sample.captions]
    assert batch.normal[0].tolist() == [caption.normal for caption in sample.captions]


def sample(volume: torch.Tensor, report: str, *captions: str, scan: str = "s") -> ReportSample:
    return ReportSample(volume, report, tuple(SampleCaption(text) for text in captions), scan)


def test_a_batch_has_each_text_once_and_marks_what_is_missing() -> None:
    batch = collate_reports(
        [
            sample(torch.zeros(5), "normal", "liver normal", "normal"),
            sample(torch.ones(5), "  ", "liver normal", scan="t"),
            sample(torch.ones(5), "normal"),
        ],
        3,
    )
    assert batch.texts == ["normal", "liver normal"]
    assert batch.reports.tolist() == [0, -1, 0]
    assert batch.captions.tolist() == [[1, 0, -1], [1, -1, -1], [-1, -1, -1]]
    assert isinstance(batch.volumes, torch.Tensor) and batch.volumes.shape == (3, 5)
    assert batch.scans[0] == batch.scans[2] != batch.scans[1]
    assert batch.text_ids().shape == (2,) and batch.text_ids().dtype == torch.long


def test_whole_volumes_may_have_any_size() -> None:
    batch = collate_reports([sample(torch.zeros(1, 4, 5, 6), "a"), sample(torch.zeros(1, 7, 5, 6), "b")], 1)
    assert [volume.shape for volume in batch.volumes] == [(1, 4, 5, 6), (1, 7, 5, 6)]


def test_ids_of_texts_and_scans() -> None:
    assert text_id("No  Effusion.\n") == text_id("no effusion.") != text_id("no effusions.")
    assert 0 <= text_id("") < 2**63 and len({text_id(str(number)) for number in range(1000)}) == 1000
