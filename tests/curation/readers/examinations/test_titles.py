"""Which modality the text of a report tells, and which ones it only mentions."""

from __future__ import annotations

import pytest

from curation.readers.examinations.columns import ExaminationColumns, examination_of
from curation.readers.sections import split_sections

NO_COLUMNS = ExaminationColumns((), (), ())


def examined(text: str) -> tuple[str, str]:
    examination = examination_of(NO_COLUMNS, {}, text, split_sections(text))
    return examination.name, examination.body_part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CT THORAX WITH CONTRAST\nFINDINGS: Clear lungs.", ("CT", "thorax")),
        ("MRI LEFT KNEE\n\nThe menisci are intact.", ("MR", "left knee")),
        ("Ultrasound of the thyroid. Two nodules are seen.", ("US", "thyroid")),
        ("CT HEAD: No bleed.", ("CT", "head")),
        ("Portable chest radiograph\nTube in place.", ("radiograph", "chest")),
        ("EXAM: CT of the pelvis compared with MRI of 2019\nFINDINGS: ok", ("CT", "pelvis")),
        ("INDICATION: Pain.\nEXAMINATION:\nMRI shoulder\nFINDINGS: ok", ("MR", "shoulder")),
        ("**Procedure:** US abdomen. **Findings:** ok", ("US", "abdomen")),
        ("TECHNIQUE: Helical CT images of the neck were obtained. FINDINGS: ok", ("CT", "neck")),
        ("HISTORY: fall. STUDY: X-ray of the wrist; two views. FINDINGS: ok", ("radiograph", "wrist")),
        ("<b>EXAM:</b> PET/CT skull base to mid thigh\nFINDINGS: ok", ("PET/CT", "skull base mid thigh")),
    ],
)
def test_a_title_tells(text: str, expected: tuple[str, str]) -> None:
    assert examined(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "FINDINGS: The liver is large, compared with CT of 2019. MRI is recommended.",
        "COMPARISON: CT chest of 2020.\nFINDINGS: Clear.",
        "COMPARISON EXAM: MRI brain.\nFINDINGS: Clear.",
        "REASON FOR EXAM: MRI showed a mass.\nFINDINGS: Clear.",
        "HISTORY: Known mass on ultrasound.\nFINDINGS: Clear.",
        "MRI is recommended.\nThe liver is large.",
        "CT was not done.\nThe liver is large.",
        "The patient had a CT, which showed a mass.",
        "TECHNIQUE: As in the prior MRI examination. FINDINGS: ok",
        "TECHNIQUE: CT images were fused with MRI of 2019. FINDINGS: ok",
        "The liver and the kidneys are normal.",
    ],
)
def test_other_examinations_are_not_this_one(text: str) -> None:
    assert examined(text) == ("unknown", "")
