"""What a model is told of refused captions: the words that are missing, and those that the passage has instead."""

import pytest

from curation.caption import RefusedCaption
from curation.llm.repairs import RepairRequest, not_yet_sent, repair_request
from curation.readers.sections import split_sections
from curation.verification.verifier import Verifier

TEXT = (
    "There is an 8 mm hypodense cyst in the left kidney. The mesenteric fat is stranded. "
    "The right hemidiaphragm is elevated."
)


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


def request(verifier: Verifier, organ: str, caption: str) -> RepairRequest:
    report = verifier.read(TEXT, split_sections(TEXT))
    refusal = verifier.verify(report, organ, caption)
    assert not refusal.accepted and refusal.nearest
    row = RefusedCaption(refusal.organ, caption, str(refusal.reason), refusal.detail or "", refusal.nearest)
    return repair_request(verifier, row, (report, refusal))


@pytest.mark.parametrize(
    ("organ", "caption", "about", "missing", "other_words"),
    [
        ("left kidney", "12 mm cyst in the left kidney", "left kidney", ("12 mm",), ("8 mm", "hypodense")),
        ("left kidney", "Septated cyst in the left kidney", "left kidney", ("Septated",), ("8 mm", "hypodense")),
        ("mesentery", "Smudgy mesenteric fat", "mesentery", ("Smudgy",), ("stranded",)),
        (
            "right kidney",
            "8 mm cyst in the right kidney",
            "left kidney",
            ("right kidney",),
            ("hypodense", "left kidney"),
        ),
    ],
)
def test_missing_words_stand_beside_those_of_the_passage(
    verifier: Verifier, organ: str, caption: str, about: str, missing: tuple[str, ...], other_words: tuple[str, ...]
) -> None:
    told = request(verifier, organ, caption)
    assert (told.organ, told.caption) == (organ, caption)
    assert about in told.about
    assert told.missing == missing
    assert told.other_words == other_words


def test_a_caption_of_another_organ_is_told_which_one_the_passage_is_about(verifier: Verifier) -> None:
    told = request(verifier, "spleen", "8 mm hypodense cyst")
    assert told.about == ("left kidney",) and "left kidney" in told.reason
    assert told.missing == () and told.other_words == ()


def test_a_refused_caption_goes_back_once() -> None:
    first = RepairRequest("liver", "A lesion.", "", "No lesion.")
    second = RepairRequest("spleen", "A lesion.", "", "No lesion.")
    assert not_yet_sent([first, second], {("liver", "A lesion.")}) == [second]


def test_where_little_is_in_the_nearest_passage_others_are_shown(verifier: Verifier) -> None:
    text = "The thyroid has a cold nodule. The left testis is cold. The right testis has a cold rim."
    report = verifier.read(text, split_sections(text))
    caption = "Enormous septated cold cavity of the testis, whorled and crenated"
    refusal = verifier.verify(report, "left testis", caption)
    row = RefusedCaption(refusal.organ, caption, str(refusal.reason), refusal.detail or "", refusal.nearest)
    told = repair_request(verifier, row, (report, refusal))
    assert refusal.score < 50 and told.other_passages
    for other in told.other_passages:
        assert other.passage in text and other.passage != told.passage
        assert all(verifier.verify(report, organ, other.passage).accepted for organ in other.about)


def test_a_passage_is_told_to_be_about_organs_that_it_may_be_filed_under(verifier: Verifier) -> None:
    text = "There is a lesion in the deep lobe of the parotid gland. It abuts the facial nerve."
    report = verifier.read(text, split_sections(text))
    caption = "Enlarged left parotid gland"
    refusal = verifier.verify(report, "left parotid gland", caption)
    row = RefusedCaption(refusal.organ, caption, str(refusal.reason), refusal.detail or "", refusal.nearest)
    told = repair_request(verifier, row, (report, refusal))
    assert told.about and "left parotid gland" not in told.about
    assert all(verifier.verify(report, organ, told.passage).accepted for organ in told.about)
