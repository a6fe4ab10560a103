"""Captions of reports that are not English: they hold by what they quote."""

import pytest

from curation.caption import Draft
from curation.extraction.text_engine import verify_drafts
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.answers import Verification
from curation.verification.other_bases.quoted_captions import quoted_statements, verify_quoted
from curation.verification.verifier import Verifier

GERMAN = (
    "Leber normal groß, ohne fokale Läsion. Zyste der linken Niere, 3,5 cm. Kein Pleuraerguss\n"
    "beidseits. Rundherd im rechten Oberlappen (8 mm). Milz unauffällig. Zwei Nierensteine rechts."
)


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


def verify(verifier: Verifier, organ: str, quote: str | None, caption: str, text: str = GERMAN) -> Verification:
    draft = Draft(organ, caption, quotes=(quote,) if quote else ())
    return verify_quoted(verifier, verifier.read(text, split_sections(text)), draft)


@pytest.mark.parametrize(
    ("organ", "quote", "caption", "status"),
    [
        ("liver", "Leber normal groß", "The liver is normal in size.", "normal"),
        ("left kidney", "Zyste der linken Niere, 3,5 cm.", "3.5 cm cyst of the left kidney.", "abnormal"),
        ("left kidney", "Zyste der linken Niere, 3,5 cm.", "35 mm cyst of the left kidney.", "abnormal"),
        ("pleura", "Kein Pleuraerguss beidseits", "No bilateral pleural effusion.", "normal"),
        (
            "right upper lobe",
            "Rundherd im rechten Oberlappen (8 mm)",
            "8 mm nodule in the right upper lobe",
            "abnormal",
        ),
        ("spleen", "Milz unauffällig", "The spleen is unremarkable.", "normal"),
    ],
)
def test_quote_numbers_and_sides_match(verifier: Verifier, organ: str, quote: str, caption: str, status: str) -> None:
    verdict = verify(verifier, organ, quote, caption)
    assert verdict.accepted, verdict
    assert (verdict.basis, verdict.status) == ("quote", status)
    assert " ".join(GERMAN[verdict.start : verdict.end].split()) == quote


@pytest.mark.parametrize(
    ("organ", "quote", "caption", "reason", "detail"),
    [
        ("spleen", None, "The spleen is unremarkable.", "language", "quotes nothing"),
        ("spleen", "Milz normal", "The spleen is normal.", "not_grounded", "word for word"),
        ("spleen", "milz unauffällig", "The spleen is normal.", "not_grounded", "word for word"),
        ("spleen", "Milz unauffällig", "Milz unauffällig", "language", "not English"),
        (
            "left kidney",
            "Zyste der linken Niere, 3,5 cm.",
            "3 cm cyst of the left kidney",
            "measurement",
            "30 mm, 35 mm",
        ),
        ("left kidney", "Zyste der linken Niere, 3,5 cm.", "Cyst of the left kidney", "measurement", "35 mm"),
        ("left kidney", "Zyste der linken Niere, 3,5 cm.", "3.5 cm cyst of the kidney.", "wrong_organ", "left kidney"),
        ("kidneys", "Zyste der linken Niere, 3,5 cm.", "3.5 cm cyst of the kidney", "laterality", "no side"),
        ("right kidney", "Zyste der linken Niere, 3,5 cm.", "3.5 cm cyst of the right kidney", "laterality", "right"),
        ("right kidney", "Zwei Nierensteine rechts", "Three stones in the right kidney", "measurement", "3"),
        ("pleura", "Kein Pleuraerguss beidseits", "Bilateral pleural effusion", "negation", "kein"),
        ("spleen", "Leber normal groß", "The liver is normal in size.", "wrong_organ", "spleen"),
        ("gizmo", "Leber normal groß", "The gizmo is normal.", "unknown_organ", "gizmo"),
        ("liver", "Leber normal groß", " ", "schema", "empty"),
    ],
)
def test_what_does_not_match_is_refused(
    verifier: Verifier, organ: str, quote: str | None, caption: str, reason: str, detail: str
) -> None:
    verdict = verify(verifier, organ, quote, caption)
    assert not verdict.accepted
    assert verdict.reason == reason and detail in (verdict.detail or "")


def test_languages_whose_sides_are_not_known_are_refused(verifier: Verifier) -> None:
    text = "Gan kích thước bình thường, không có tổn thương khu trú."
    verdict = verify(verifier, "liver", "Gan kích thước bình thường", "The liver is normal in size.", text)
    assert verdict.reason == "language" and "Vietnamese" in (verdict.detail or "")


def test_without_quotes_a_foreign_report_carries_nothing(verifier: Verifier) -> None:
    report = verifier.read(GERMAN)
    verdict = verifier.verify(report, "spleen", "The spleen is unremarkable.")
    assert (verdict.reason, verdict.detail) == ("language", "the report is not English but German")
    mixed = verifier.read("The liver is normal. There is no free fluid in the pelvis. Kein Pneumothorax.")
    assert verifier.verify(mixed, "liver", "The liver is normal.").accepted
    assert verifier.verify(mixed, "pleura", "Kein Pneumothorax").reason == "language"
    assert not verifier.verify(mixed, "pleura", "No pneumothorax").accepted


@pytest.mark.parametrize(
    ("quotes", "caption", "accepted"),
    [
        (("Zyste der linken Niere", "3,5 cm."), "3.5 cm cyst of the left kidney.", True),
        (("Zyste der linken Niere", "3,5 cm."), "4 cm cyst of the left kidney.", False),
        (("Zyste der linken Niere", "8 cm"), "3.5 cm cyst of the left kidney.", False),  # one is not in the report
        (("Zyste der linken Niere", "Zwei Nierensteine rechts."), "Cyst of the left kidney.", False),  # two sides
    ],
)
def test_a_caption_of_several_quotes_holds_by_all_of_them(
    verifier: Verifier, quotes: tuple[str, ...], caption: str, accepted: bool
) -> None:
    report = verifier.read(GERMAN, split_sections(GERMAN))
    assert verify_quoted(verifier, report, Draft("left kidney", caption, quotes=quotes)).accepted == accepted


ENGLISH_TEXT = "A cyst is seen in the liver. The spleen is\nnormal in size. A cyst is seen in the liver, it is simple."


@pytest.mark.parametrize(
    ("quotes", "numbers"),
    [
        (("The spleen is normal",), (1,)),
        (("normal in size. A cyst",), (1, 2)),
        (("it is simple", "The spleen"), (2, 1)),
        (("A cyst is seen in the liver",), (0, 2)),
        (("the spleen is normal",), ()),  # not letter by letter
        (("",), ()),
        ((), ()),
    ],
)
def test_quotes_are_located_in_english_statements(
    verifier: Verifier, quotes: tuple[str, ...], numbers: tuple[int, ...]
) -> None:
    assert quoted_statements(verifier.read(ENGLISH_TEXT, split_sections(ENGLISH_TEXT)), quotes) == numbers


def test_a_quote_says_where_to_look_and_decides_nothing(verifier: Verifier) -> None:
    text = "The left kidney has a cyst. The right kidney has a stone. The left kidney has a cyst again."
    report = Report("a", text, split_sections(text), {}, 1)

    def evidence(caption: str, *quotes: str) -> list[str]:
        draft = Draft("left kidney", caption, quotes=quotes)
        accepted = verify_drafts(verifier, report, [draft], show_repeats=True).accepted
        return [text[row.start : row.end] for row in accepted]

    assert evidence("Cyst of the left kidney") == ["The left kidney has a cyst."]
    assert evidence("Cyst of the left kidney", "a cyst again") == ["The left kidney has a cyst again."]
    assert evidence("Cyst of the left kidney", "The right kidney has a stone.") == ["The left kidney has a cyst."]
    assert evidence("Cyst of the left kidney", "It says so elsewhere.") == ["The left kidney has a cyst."]
    assert evidence("Stone of the left kidney", "The right kidney has a stone.") == []
