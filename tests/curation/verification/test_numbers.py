"""Numbers of captions against those of their reports: notation, counts, references, sizes of two days."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


@pytest.mark.parametrize(
    ("organ", "report", "caption"),
    [
        ("left kidney", "The left kidney shows a stone of .7 cm.", "7 mm stone in the left kidney"),
        ("liver", "Hepatic cyst measuring 2½ cm.", "2.5 cm hepatic cyst"),
        ("spleen", "Splenic lesions between 5 and 10 mm.", "Splenic lesions of 5-10 mm"),
        ("right lung", "Subcentimeter nodule in the right lung.", "Right lung nodule of less than 1 cm"),
        ("thyroid", "Thyroid nodule, 1.5 (AP) x 1.8 (TR) x 2 cm (CC).", "2 x 1.8 x 1.5 cm thyroid nodule"),
        ("thyroid", "Thyroid nodule of 1.5 cm craniocaudal by 1.8 cm transverse.", "1.8 cm transverse thyroid nodule"),
        ("liver", "Greater than thirty liver lesions.", "More than 30 liver lesions"),
        ("prostate", "The prostate weighs approximately 62 grams.", "Prostate of 62 g"),
        ("left kidney", "Approx. 3 cm cyst in the left kidney.", "Cyst of ca. 3 cm in the left kidney"),
        ("lungs", "Lung nodules, unchanged since 3/4/2020.", "Unchanged lung nodules"),
        ("lungs", "Lung nodules, the largest 7 mm.", "Lung nodules up to 7 mm"),
        ("lungs", "Lung nodule 14 mm (prior: 9).", "Lung nodule of 14 mm, previously 9 mm"),
        ("lungs", "Lung nodule has grown from 9 to 14 mm.", "Lung nodule has increased from 9 to 14 mm"),
        ("liver", "Liver cyst, first seen in 2019.", "Liver cyst"),
        ("liver", "No liver lesion (day 2).", "No liver lesion"),
        ("transverse colon", "8 mm transverse colon polyp.", "8 mm polyp of the transverse colon"),
    ],
)
def test_accepted(verifier: Verifier, organ: str, report: str, caption: str) -> None:
    assert verifier.verify(verifier.read(report), organ, caption).accepted


@pytest.mark.parametrize(
    ("organ", "report", "caption"),
    [
        ("left kidney", "The left kidney shows a stone of .7 cm.", "7 cm stone in the left kidney"),
        ("spleen", "Splenic lesions of 5-10 mm.", "10 mm splenic lesion"),
        ("right lung", "A <5 mm nodule in the right lung.", "5 mm nodule in the right lung"),
        ("thyroid", "Thyroid nodule of 1.5 cm craniocaudal by 1.8 cm transverse.", "1.5 cm transverse thyroid nodule"),
        ("lungs", "A 3-mm nodule, series 4 image 56, in the lung.", "4 lung nodules"),
        ("lungs", "Lung nodules, unchanged since 3/4/2020.", "3 lung nodules"),
        ("lungs", "3-4 lung nodules.", "3 lung nodules"),
        ("lungs", "Lung nodules of 5 and 7 mm.", "5 lung nodules"),
        ("lungs", "Lung nodules measuring up to 7 mm.", "7 mm lung nodules"),
        ("liver", "2/3 of the liver with cysts.", "2 liver cysts"),
        ("lungs", "Lung nodule, 6mm [prev 4mm].", "4 mm lung nodule"),
        ("lungs", "Lung nodule has grown from 9 to 14 mm.", "9 mm lung nodule"),
        ("lungs", "Lung nodule, 3/4/2019: 9 mm.", "9 mm lung nodule"),
        ("lungs", "Lung nodule 9 -> 14 mm.", "9 mm lung nodule"),
        ("liver", "The CT of 2019 showed a liver cyst.", "Liver cyst"),
        ("right kidney", "The 7 mm right renal stone seen in February has passed.", "7 mm right renal stone"),
    ],
)
def test_refused(verifier: Verifier, organ: str, report: str, caption: str) -> None:
    assert not verifier.verify(verifier.read(report), organ, caption).accepted


@pytest.mark.parametrize(
    ("organ", "report", "caption", "accepted"),
    [
        ("spleen", "Spleen 11 cm, previously 15 cm.", "Spleen has decreased in size to 11 cm", True),
        ("spleen", "Spleen 11 cm, previously 15 cm.", "Spleen has decreased from 15 to 11 cm", True),
        ("spleen", "Spleen 11 cm, previously 15 cm.", "Spleen has increased to 11 cm", False),
        ("spleen", "Spleen 11 cm, previously 15 cm.", "Spleen has increased from 11 to 15 cm", False),
        ("pancreas", "Pancreatic cyst, 8 mm, previously 8 mm.", "Unchanged 8 mm pancreatic cyst", True),
        ("pancreas", "Pancreatic cyst, 8 mm, previously 7 mm.", "Unchanged 8 mm pancreatic cyst", False),
        ("liver", "Liver lesion 9.2 x 5.4 cm (was 6.0 x 4.1).", "Liver lesion increased to 9.2 x 5.4 cm", True),
        ("liver", "Liver lesion 9.2 x 3.4 cm (was 6.0 x 4.1).", "Liver lesion increased to 9.2 x 3.4 cm", False),
        ("lungs", "Lung nodules up to 9 mm, previously up to 7 mm.", "Lung nodules increased", False),
        (
            "left lung",
            "Nodule of 9 mm in the right lung, previously 7 mm, and nodule of 5 mm in the left lung.",
            "Left lung nodule has increased",
            False,
        ),
    ],
)
def test_the_change_between_two_days_follows_from_their_sizes(
    verifier: Verifier, organ: str, report: str, caption: str, accepted: bool
) -> None:
    assert verifier.verify(verifier.read(report), organ, caption).accepted is accepted
