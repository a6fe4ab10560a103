"""What may not be left off: a denial, a doubt, an exception, a bound, and what narrows a denial."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from .caption_cases import PLACE, SIZED, TURNED, UNSAID, assert_names_one_case_each, assert_refused, cases, verify

UNFAITHFUL = [
    # what is denied or doubted cut off from its denial, word for word
    ("The nodule was not seen in the previous examination of the lungs.", "lungs", "No nodule in the lungs.", TURNED),
    ("There is no change in the nodule in the right lung.", "right lung", "No nodule in the right lung.", TURNED),
    ("Gallstones were not seen.", "gallbladder", "Gallstones", TURNED),
    ("Lymph node larger than 1 cm was not observed.", "lymph nodes", "Lymph node larger than 1 cm", TURNED),
    ("Pneumothorax is not present on the right.", "right pleura", "Pneumothorax is", TURNED),
    ("The presence of a renal mass was excluded.", "kidneys", "The presence of a renal mass", TURNED),
    ("A renal mass cannot be excluded.", "kidneys", "A renal mass", TURNED),
    ("Consistent with pneumonia in the left lung.", "left lung", "No pneumonia in the left lung.", TURNED),
    ("No aneurysm or dissection of the aorta.", "aorta", "Aneurysm without dissection of the aorta.", TURNED),
    ("Emphysema in the right lung without bullae.", "right lung", "Emphysema in the right lung with bullae.", TURNED),
    # an exception, a bound, a direction left off or turned round
    ("Normal liver except for a cyst.", "liver", "Normal liver.", TURNED),
    ("The liver is normal apart from a 5 mm cyst.", "liver", "The liver is normal.", TURNED),
    ("Nodules smaller than 5 mm in the lungs.", "lungs", "Nodules larger than 5 mm in the lungs.", SIZED),
    ("Nodules smaller than 5 mm in the lungs.", "lungs", "Nodules of 5 mm in the lungs.", SIZED),
    ("A 5 mm nodule in the left lung.", "left lung", "A nodule of at least 5 mm in the left lung.", (*SIZED, *UNSAID)),
    ("The liver cyst has grown from 2 cm to 3 cm.", "liver", "The liver cyst has grown from 3 cm to 2 cm.", SIZED),
    ("The gallbladder was not visualized.", "gallbladder", "The gallbladder was visualized.", TURNED),
    ("The appendix is not visible.", "appendix", "The appendix is visible.", TURNED),
    # a denial widened: what is denied of some is not denied of all
    ("There is no new nodule in the left lung.", "left lung", "No nodule in the left lung.", TURNED),
    ("No acute fracture of the ribs.", "ribs", "No fracture of the ribs.", TURNED),
    ("No large pleural effusion.", "pleura", "No pleural effusion.", TURNED),
    ("No enlarged lymph nodes in the mediastinum.", "lymph nodes", "No lymph nodes in the mediastinum.", TURNED),
    ("No solid mass in the liver.", "liver", "No mass in the liver.", TURNED),
    ("No nodule larger than 5 mm in the lungs.", "lungs", "No nodules in the lungs.", (*TURNED, *SIZED)),
    ("No pleural effusion on the left.", "pleura", "Without pleural effusion.", (*TURNED, Reason.LATERALITY)),
    ("No nodule in the right upper lobe.", "right lung", "No nodules in the right lung.", (*TURNED, *PLACE)),
    ("The head of the pancreas is normal.", "pancreas", "The pancreas is normal.", (*TURNED, *PLACE)),
]

KNOWN_FAILURES: dict[str, str] = {
    "unfaithful: Without pleural effusion.": "“on the left” leaves room for the right",
    "unfaithful: No nodules in the right lung.": "“in the right upper lobe” leaves room for other lobes",
}
"""Cases that the code gets wrong, with the reason."""

REFUSED = cases("unfaithful", UNFAITHFUL, KNOWN_FAILURES)


@pytest.mark.parametrize(("report", "organ", "caption", "reasons"), REFUSED)
def test_what_it_does_not_say_is_refused(report: str, organ: str, caption: str, reasons: tuple[Reason, ...]) -> None:
    assert_refused(report, organ, caption, reasons)


def test_each_known_failure_names_one_case() -> None:
    assert_names_one_case_each(KNOWN_FAILURES, REFUSED)


@pytest.mark.parametrize(
    ("report", "organ", "caption", "accepted"),
    [
        ("The uterus is not seen. Correlate with history of surgery.", "uterus", "History of uterine surgery.", False),
        ("The appendix is not seen. Correlate with appendectomy.", "appendix", "Appendectomy.", False),
        ("Correlate with recent gastric bypass.", "stomach", "Recent gastric bypass.", False),
        ("Correlate with the gastric bypass.", "stomach", "Gastric bypass.", True),
        ("Recent gastric bypass, correlate with laboratory values.", "stomach", "Recent gastric bypass.", True),
    ],
)
def test_what_is_only_to_be_compared_with_is_no_finding(report: str, organ: str, caption: str, accepted: bool) -> None:
    assert verify(report, organ, caption).accepted is accepted
