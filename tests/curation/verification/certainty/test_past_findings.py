"""Findings of an earlier day, findings that have resolved, and comparisons."""

from __future__ import annotations

import pytest

from ..caption_cases import assert_accepted, verify

SAME_DAY = [
    ("The splenic cyst is no longer seen.", "spleen", "Resolved splenic cyst."),
    (
        "Interval clearing of the previously noted splenic hematoma.",
        "spleen",
        "Interval resolution of the splenic hematoma.",
    ),
    ("The previously seen splenic hematoma has resolved.", "spleen", "Resolved splenic hematoma."),
    (
        "A splenic cyst has decreased in size compared with the prior CT.",
        "spleen",
        "The splenic cyst has decreased in size since the prior CT.",
    ),
    (
        "A splenic cyst has decreased in size relative to the last study.",
        "spleen",
        "The splenic cyst has decreased in size since the previous examination.",
    ),
    (
        "A splenic cyst is unchanged from the prior study.",
        "spleen",
        "Splenic cyst, unchanged since the previous examination.",
    ),
    ("A splenic cyst is again seen.", "spleen", "Splenic cyst."),
    ("Redemonstrated splenic cyst.", "spleen", "Splenic cyst."),
    ("Stable splenic cyst.", "spleen", "Unchanged splenic cyst."),
    ("No interval change in the splenic cyst.", "spleen", "Stable splenic cyst."),
    ("The previously demonstrated splenic cyst is again noted.", "spleen", "Splenic cyst."),
    ("The previously demonstrated splenic cyst is unchanged.", "spleen", "Unchanged splenic cyst."),
    ("A hepatic hemangioma was seen on the prior CT and is unchanged.", "liver", "Hepatic hemangioma, unchanged."),
    ("The hepatic hemangioma seen on the prior CT is unchanged.", "liver", "Unchanged hepatic hemangioma."),
    ("Compared to the prior CT, the liver shows a new hemangioma.", "liver", "New hepatic hemangioma."),
    ("Since the previous examination a splenic infarct has developed.", "spleen", "Splenic infarct."),
    ("The present CT showed a splenic infarct.", "spleen", "Splenic infarct."),
    ("CT showed a splenic infarct.", "spleen", "Splenic infarct."),
    ("The liver cyst is larger than on the prior study.", "liver", "Larger liver cyst."),
    (
        "The liver cyst is larger than on the prior study.",
        "liver",
        "The liver cyst is larger compared with the previous examination.",
    ),
    ("Resolving hematoma in the spleen.", "spleen", "Hematoma in the spleen."),
    ("Splenic hematoma, now resolved.", "spleen", "Resolved splenic hematoma."),
    ("Complete resolution of the splenic hematoma.", "spleen", "The splenic hematoma has resolved."),
    ("Endotracheal tube in place.", "devices", "Endotracheal tube."),
    (
        "Changes compatible with prior radiation therapy in the left lung.",
        "left lung",
        "Prior radiation therapy changes in the left lung.",
    ),
]
"""Report, organ and a caption that keeps the day."""

OTHER_DAY = [
    ("Left-sided pigtail catheter is no longer present.", "devices", "Pigtail catheter."),
    ("The CT of 2018 showed a splenic cyst; today it is gone.", "spleen", "Splenic cyst."),
    ("The MRI from 03/2019 demonstrated a splenic cyst.", "spleen", "Splenic cyst."),
    ("The prior examination showed a splenic cyst.", "spleen", "Splenic cyst."),
    ("On the CT of 2018 there was a splenic cyst.", "spleen", "Splenic cyst."),
    ("The splenic cyst is no longer seen.", "spleen", "Splenic cyst."),
    ("The splenic cyst has disappeared.", "spleen", "Splenic cyst."),
    ("The left effusion has cleared.", "left pleura", "Left effusion."),
    ("Interval clearing of the previously noted splenic hematoma.", "spleen", "Splenic hematoma."),
    ("The previously seen splenic hematoma has resolved.", "spleen", "No splenic hematoma."),
    (
        "A splenic cyst has decreased in size compared with the prior CT.",
        "spleen",
        "The splenic cyst has increased in size since the prior CT.",
    ),
    ("History of splenic lymphoma.", "spleen", "Splenic lymphoma."),
    ("Previously demonstrated splenic cyst.", "spleen", "Splenic cyst."),
    ("Prior CT demonstrated a 5 mm renal stone.", "kidneys", "Renal stone."),
    ("The ultrasound of 3/4/2020 showed a hepatic hemangioma.", "liver", "Hepatic hemangioma."),
    ("A hepatic hemangioma was seen on the prior CT.", "liver", "Hepatic hemangioma."),
    ("In 2017 there was a splenic infarct.", "spleen", "Splenic infarct."),
    ("The left effusion has resolved since the last CT.", "left pleura", "Left effusion."),
    ("Resolving hematoma in the spleen.", "spleen", "Resolved hematoma in the spleen."),
    ("Partially resolved hematoma in the spleen.", "spleen", "The splenic hematoma has resolved."),
    ("Splenic hematoma, now resolved.", "spleen", "Splenic hematoma."),
    ("No splenic hematoma.", "spleen", "Resolved splenic hematoma."),
    ("No splenic hematoma.", "spleen", "The splenic hematoma is no longer seen."),
    ("The splenic hematoma is gone.", "spleen", "Splenic hematoma."),
    ("Findings consistent with leak after gastric bypass.", "stomach", "Leak after gastric bypass."),
]
"""Report, organ and a caption that mistakes the day."""


@pytest.mark.parametrize(("report", "organ", "caption"), SAME_DAY)
def test_a_caption_that_keeps_the_day_is_accepted(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), OTHER_DAY)
def test_a_finding_of_another_day_is_refused(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
