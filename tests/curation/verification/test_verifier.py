"""The verifier as a whole: where a caption is found, under which organ, with what status and score.

What a statement carries and what not is in the tests of the modules that decide it; properties of verification are in
test_verifier_properties.py.
"""

from __future__ import annotations

import pytest

from curation.caption import Reason
from curation.report import Section

from .caption_cases import evidence, verifier, verify

REPORT = "The liver is enlarged. No mass was seen. A 5 mm stone in the left kidney.\nThe spleen is normal."


# -- where ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("organ", "caption", "expected"),
    [
        pytest.param("liver", "The liver is enlarged.", "The liver is enlarged.", id="verbatim"),
        pytest.param(
            "liver", "the LIVER is  enlarged", "The liver is enlarged.", id="case, blanks and stop do not matter"
        ),
        pytest.param("liver", "Enlarged liver", "The liver is enlarged.", id="reworded"),
        pytest.param("left kidney", "Left renal stone", "A 5 mm stone in the left kidney.", id="shortened"),
        pytest.param("spleen", "Normal spleen", "The spleen is normal.", id="last line"),
        pytest.param(
            "liver",
            "No mass in the liver.",
            "The liver is enlarged. No mass was seen.",
            id="context and what names its organ",
        ),
        pytest.param("liver", "- The liver is enlarged.", "The liver is enlarged.", id="list marker"),
    ],
)
def test_evidence_is_the_whole_statement(organ: str, caption: str, expected: str) -> None:
    verdict = verify(REPORT, organ, caption)
    assert verdict.accepted, verdict.detail
    assert evidence(REPORT, verdict) == expected


@pytest.mark.parametrize(
    ("text", "organ", "caption", "expected"),
    [
        ("  1. The liver is\n enlarged.\r\n2. Splenomegaly.", "liver", "Enlarged liver", "The liver is\n enlarged."),
        ("• Liver cyst\n• Renal stone", "kidneys", "Renal stone", "Renal stone"),
        ('Liver cyst. " " Splenomegaly.', "spleen", "Splenomegaly", "Splenomegaly."),
        ("Ödem yok. The liver is enlarged.", "liver", "Enlarged liver", "The liver is enlarged."),
        ("\U0001d504\U0001d505 🫁. The liver is enlarged.", "liver", "Enlarged liver", "The liver is enlarged."),
        ("The liver is enlarged\x00. Splenomegaly.", "spleen", "Splenomegaly", "Splenomegaly."),
    ],
)
def test_evidence_is_verbatim_in_odd_texts(text: str, organ: str, caption: str, expected: str) -> None:
    verdict = verify(text, organ, caption)
    assert verdict.accepted, verdict.detail
    assert evidence(text, verdict) == expected


def test_the_section_is_that_of_the_evidence_and_others_are_not_read() -> None:
    text = "HISTORY: Stone in the gallbladder.\nFINDINGS: The liver is enlarged.\nIMPRESSION: Splenomegaly.\n"
    sections = [
        Section(name, text.index(body), text.index(body) + len(body))
        for name, body in [
            ("history", "Stone in the gallbladder."),
            ("findings", "The liver is enlarged."),
            ("impression", "Splenomegaly."),
        ]
    ]
    report = verifier().read(text, sections)
    assert verifier().verify(report, "liver", "Enlarged liver.").section == "findings"
    assert verifier().verify(report, "spleen", "Enlarged spleen.").section == "impression"
    assert not verifier().verify(report, "gallbladder", "Stone in the gallbladder.").accepted


def test_a_refusal_names_the_nearest_passage() -> None:
    verdict = verify(REPORT, "left kidney", "A 6 mm stone in the left kidney.")
    assert (verdict.reason, verdict.status) == (Reason.MEASUREMENT, None)
    assert verdict.nearest == evidence(REPORT, verdict) == "A 5 mm stone in the left kidney."
    assert "6 mm" in (verdict.detail or "")


@pytest.mark.parametrize(
    ("text", "caption", "status"),
    [
        ("The liver is normal.", "Normal liver.", "normal"),
        ("No mass in the liver.", "No liver mass.", "normal"),
        ("Cyst in the liver.", "Liver cyst.", "abnormal"),
        ("Possible cyst in the liver.", "Possible liver cyst.", "uncertain"),
    ],
)
def test_an_accepted_caption_has_a_status(text: str, caption: str, status: str) -> None:
    assert verify(text, "liver", caption).status == status


# -- the organ it is filed under -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "organ", "canonical"),
    [
        ("Stone in the left kidney.", "left kidney", "left kidney"),
        ("Stone in the left kidney.", "Left Kidney", "left kidney"),
        ("Stone in the left kidney.", " kidney_left ", "left kidney"),
        ("Nodule in the RUL.", "RUL", "right upper lobe"),
        ("Nodule in the RUL.", "lung_upper_lobe_right", "right upper lobe"),
        ("Nodule in the RUL.", "lungs", "lungs"),
        ("The oesophagus is dilated.", "oesophagus", "esophagus"),
        ("Stone in the urinary bladder.", "urinary_bladder", "urinary bladder"),
    ],
)
def test_an_organ_may_be_named_by_any_name(text: str, organ: str, canonical: str) -> None:
    verdict = verify(text, organ, text)
    assert verdict.accepted, verdict.detail
    assert verdict.organ == canonical


@pytest.mark.parametrize("organ", ["", " ", "flux capacitor", "left", "normal", "\x00", "liver and spleen", "🫁"])
def test_an_unknown_organ_is_refused(organ: str) -> None:
    verdict = verify(REPORT, organ, "The liver is enlarged.")
    assert (verdict.accepted, verdict.reason) == (False, Reason.UNKNOWN_ORGAN)
    assert verdict.organ == organ


@pytest.mark.parametrize("caption", ["", " ", "\n\t"])
def test_an_empty_caption_is_refused(caption: str) -> None:
    verdict = verify(REPORT, "liver", caption)
    assert (verdict.accepted, verdict.reason) == (False, Reason.SCHEMA)


@pytest.mark.parametrize("caption", [".", "?", "-", "1.", "the", "is seen", "No", "\x00", "🫁", "xyzzy"])
def test_a_caption_that_says_nothing_is_refused(caption: str) -> None:
    assert not verify(REPORT, "liver", caption).accepted


@pytest.mark.parametrize(
    ("caption", "accepted"),
    [
        ("central left upper lobe of the lung", False),
        ("in the left upper lobe", False),
        ("infectious processes in the central left upper lobe of the lung", True),
    ],
)
def test_a_place_alone_is_no_caption(caption: str, accepted: bool) -> None:
    text = "Infectious processes in the central left upper lobe of the lung."
    assert verify(text, "left upper lobe", caption).accepted is accepted


@pytest.mark.parametrize(
    ("text", "organ", "caption", "accepted"),
    [
        ("New lesions: 9 mm liver lesion in segment II, not present before.", "liver", "no liver", False),
        ("Kidneys: 2 mm nonobstructing stone right lower pole.", "kidneys", "kidneys", False),
        ("The uterus is not identified.", "uterus", "uterus is not identified", True),
    ],
)
def test_an_organ_is_denied_only_where_it_is_absent(text: str, organ: str, caption: str, accepted: bool) -> None:
    assert verify(text, organ, caption).accepted is accepted


@pytest.mark.parametrize("caption", ["Liver", "liver:", "The liver", "The liver is"])
def test_the_name_of_an_organ_alone_is_no_caption(caption: str) -> None:
    assert not verify(REPORT, "liver", caption).accepted


@pytest.mark.parametrize("text", ["", " \n", ".", "- - -", "xyzzy"])
def test_an_empty_report_carries_nothing(text: str) -> None:
    verdict = verify(text, "liver", "The liver is enlarged.")
    assert (verdict.accepted, verdict.reason, verdict.score) == (False, Reason.NOT_GROUNDED, 0.0)
    assert (verdict.start, verdict.end) == (-1, -1)


# -- several sentences ---------------------------------------------------------------------------------------------

CYSTS = "The liver is enlarged. It has a 2 cm cyst. The spleen is normal. The liver contours are smooth."


def test_each_sentence_of_a_caption_is_held_against_the_report() -> None:
    verdict = verify(CYSTS, "liver", "The liver is enlarged. It has a 2 cm cyst.")
    assert verdict.accepted, verdict.detail
    assert evidence(CYSTS, verdict) == "The liver is enlarged. It has a 2 cm cyst."
    assert verdict.status == "abnormal"


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("The liver is enlarged. It has a 3 cm cyst.", Reason.MEASUREMENT),
        ("The liver is not enlarged. It has a 2 cm cyst.", Reason.NEGATION),
        ("The liver is enlarged. The spleen is normal.", Reason.WRONG_ORGAN),
        ("The liver is enlarged. The pancreas is atrophic.", Reason.NOT_GROUNDED),
    ],
)
def test_one_wrong_sentence_refuses_the_caption(caption: str, reason: Reason) -> None:
    verdict = verify(CYSTS, "liver", caption)
    assert (verdict.accepted, verdict.reason) == (False, reason)


def test_sentences_that_stand_for_themselves_may_come_from_distant_parts() -> None:
    text = "The liver is enlarged. " + "The spleen is normal. " * 100 + "The liver has a 2 cm cyst."
    verdict = verify(text, "liver", "The liver is enlarged. The liver has a 2 cm cyst.")
    assert verdict.accepted, verdict.detail
    assert [text[start:end] for start, end in verdict.spans] == ["The liver is enlarged.", "The liver has a 2 cm cyst."]


@pytest.mark.parametrize(
    ("caption", "accepted"),
    [
        ("A 5 mm nodule in the left upper lobe. It is calcified.", False),
        ("A 9 mm nodule in the right lower lobe. It is calcified.", True),
        ("A 5 mm nodule in the left upper lobe. Unchanged.", True),
        ("A 9 mm nodule in the right lower lobe. Unchanged.", False),
        ("A 9 mm nodule in the right lower lobe. Emphysema in both lungs.", True),
    ],
)
def test_a_sentence_that_refers_back_is_said_of_the_sentence_before_it(caption: str, accepted: bool) -> None:
    text = (
        "A 5 mm nodule in the left upper lobe. Unchanged. A 9 mm nodule in the right lower lobe. It is calcified. "
        "The spleen is normal. Emphysema in both lungs."
    )
    assert verify(text, "lungs", caption).accepted is accepted


# -- score ---------------------------------------------------------------------------------------------------------


def test_the_score_is_the_share_of_the_caption_that_is_carried() -> None:
    text = "There is diffuse steatosis of the liver with a 2 cm cyst. The spleen is normal."
    whole = verify(text, "liver", "There is diffuse steatosis of the liver with a 2 cm cyst.")
    short = verify(text, "liver", "Liver steatosis.")
    synonym = verify(text, "liver", "Fatty infiltration of the liver.")
    number = verify(text, "liver", "Diffuse steatosis of the liver with a 3 cm cyst.")
    foreign = verify(text, "liver", "Abscess with gas next to the portal vein.")
    assert whole.score == 100
    assert short.score >= 90
    assert 80 <= synonym.score < 100
    assert 50 <= number.score < 100
    assert foreign.score < 50
    assert (foreign.accepted, foreign.reason) == (False, Reason.NOT_GROUNDED)
