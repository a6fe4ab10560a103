"""Readings beside the set: the same organ under other names, differences, and what is never agreement."""

import pytest

from curation.audit.second_reader.comparison import CaptionToRead, ReaderAnswer, ReadingComparison
from prompts.vocabulary import load_vocabulary

COMPARISON = ReadingComparison(load_vocabulary(), asks_said=True)


def compare(organ: str, status: str, reading: ReaderAnswer, *, asks_said: bool = True) -> tuple[str, str]:
    caption = CaptionToRead(0, 7, organ, status, "a caption", ())
    stored = ReadingComparison(load_vocabulary(), asks_said=asks_said).compare(caption, reading)
    assert (stored.part, stored.row, stored.organ, stored.status) == (0, 7, organ, status)
    return stored.outcome, stored.detail


@pytest.mark.parametrize(
    ("organ", "name"),
    [
        ("left kidney", "left kidney"),
        ("left kidney", "Left Kidney"),
        ("left kidney", "kidneys"),
        ("left kidney", "lower pole of the left kidney"),
        ("left lower lobe", "left lung"),
        ("liver", "hepatic"),
        ("lumbar spine", "L4"),
        ("right upper lobe", "the right upper lobe of the lung"),
    ],
)
def test_an_organ_is_the_same_as_its_part_and_its_whole(organ: str, name: str) -> None:
    assert compare(organ, "normal", ReaderAnswer((name,), "normal", True)) == ("agrees", "")


@pytest.mark.parametrize(
    ("organ", "name"),
    [("left kidney", "right kidney"), ("liver", "spleen"), ("left lower lobe", "left upper lobe"), ("aorta", "heart")],
)
def test_another_organ_is_a_difference(organ: str, name: str) -> None:
    assert compare(organ, "normal", ReaderAnswer((name,), "normal", True)) == ("disagrees", "organ")


def test_one_of_several_organs_is_enough() -> None:
    assert compare("spleen", "normal", ReaderAnswer(("liver", "spleen"), "normal", True)) == ("agrees", "")
    assert compare("heart", "normal", ReaderAnswer(("liver", "spleen"), "normal", True)) == ("disagrees", "organ")


@pytest.mark.parametrize(
    ("reading", "outcome", "detail"),
    [
        (ReaderAnswer(("liver",), "abnormal", True), "disagrees", "status"),
        (ReaderAnswer(("liver",), "normal", False), "disagrees", "said"),
        (ReaderAnswer((), None, False), "disagrees", "said"),
        (ReaderAnswer(("spleen",), "uncertain", False), "disagrees", "organ, status, said"),
        (ReaderAnswer(("spleen",), None, None), "disagrees", "organ"),
        (ReaderAnswer((), "normal", True), "unread", "not read: organ"),
        (ReaderAnswer(("whatsit",), "normal", True), "unread", "not read: organ"),
        (ReaderAnswer(("liver",), None, True), "unread", "not read: status"),
        (ReaderAnswer(("liver",), "normal", None), "unread", "not read: whether the report says it"),
        (ReaderAnswer(problem="no JSON"), "unread", "no JSON"),
    ],
)
def test_what_is_not_whole_never_agrees(reading: ReaderAnswer, outcome: str, detail: str) -> None:
    assert compare("liver", "normal", reading) == (outcome, detail)


def test_only_an_answer_that_cannot_be_used_is_asked_for_again() -> None:
    caption = CaptionToRead(0, 7, "liver", "normal", "a caption", ())
    assert not COMPARISON.compare(caption, ReaderAnswer(problem="no JSON")).answered
    assert COMPARISON.compare(caption, ReaderAnswer((), "normal", True)).answered


def test_a_reader_that_is_not_asked_whether_the_report_says_it_agrees_by_organ_and_status() -> None:
    reading = ReaderAnswer(("liver",), "normal", None)
    assert compare("liver", "normal", reading, asks_said=False) == ("agrees", "")


def test_an_organ_that_the_vocabulary_does_not_have_is_compared_by_its_name() -> None:
    assert compare("site organ", "normal", ReaderAnswer(("liver",), "normal", True)) == ("disagrees", "organ")
