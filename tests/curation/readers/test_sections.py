"""Where findings and impression stand in free text, in every style of heading that real reports were seen to have."""

from __future__ import annotations

import csv
import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.cleaning.clean_text import clean_text
from curation.readers.headings import find_headings
from curation.readers.sections import split_sections
from curation.report import READ_SECTIONS

REPORTS = Path(__file__).parents[4] / "shared" / "data" / "reports"


def cut(text: str, default: str = "findings") -> list[tuple[str, str]]:
    return [(section.name, text[section.start : section.end]) for section in split_sections(text, default)]


def test_dictated_report_with_all_headings() -> None:
    text = (
        "EXAM: CT chest.\n\nREASON FOR EXAM: Cough.\n\nCOMPARISON EXAM: None.\n\nTECHNIQUE: 5 mm slices.\n\n"
        "DISCUSSION: The lungs are clear.\n\nNo effusion.\n\nIMPRESSION:\n1. Normal.\n2. No nodule.\n"
    )
    assert cut(text) == [
        ("exam", "CT chest."),
        ("history", "Cough."),
        ("comparison", "None."),
        ("technique", "5 mm slices."),
        ("findings", "The lungs are clear.\n\nNo effusion."),
        ("impression", "1. Normal.\n2. No nodule."),
    ]


def test_text_without_headings_is_all_findings() -> None:
    assert cut("The liver is normal. The spleen is large.") == [
        ("findings", "The liver is normal. The spleen is large.")
    ]
    assert cut("Normal.", "impression") == [("impression", "Normal.")]
    assert cut(" \n ") == []


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("FINDINGS:", "findings"),
        ("Findings :", "findings"),
        ("## Findings", "findings"),
        ("**Findings:**", "findings"),
        ("**Findings**:", "findings"),
        ("__FINDINGS__", "findings"),
        ("FINDINGS -", "findings"),
        ("Additional findings:", "findings"),
        ("TECHNIQUE AND FINDINGS:", "findings"),
        ("INTERPRETATION:", "findings"),
        ("CT ABDOMEN:", "findings"),
        ("CT OF THE PELVIS WITHOUT CONTRAST:", "findings"),
        ("CT HEAD WITHOUT CONTRAST", "findings"),
        ("IMPRESSION:", "impression"),
        ("Impression and recommendations:", "impression"),
        ("CONCLUSION:", "impression"),
        ("OPINION", "impression"),
        ("ASSESSMENT:", "impression"),
        ("ADDENDUM:", "addendum"),
        ("RECOMMENDATION:", "recommendation"),
        ("PLAN:", "recommendation"),
        ("INDICATIONS:", "history"),
        ("Clinical History:", "history"),
        ("REASON FOR CT SCAN:", "history"),
        ("COMPARISON:", "comparison"),
        ("CT TECHNIQUE:", "technique"),
        ("PROCEDURE:", "technique"),
        ("CT-GUIDED NEEDLE BIOPSY, LEFT KIDNEY MASS:", "other"),
        ("Dictated by:", "other"),
    ],
)
def test_styles_of_headings(heading: str, section: str) -> None:
    text = f"EXAM: CT.\n{heading} What stands below.\nMore." if heading[-1] in ":-" or heading.endswith("*") else ""
    text = text or f"EXAM: CT.\n{heading}\nWhat stands below.\nMore."
    assert cut(text)[-1] == (section, "What stands below.\nMore.")


def test_headings_in_the_middle_of_a_line() -> None:
    text = (
        "CT ABDOMEN WITH IV CONTRAST Clinical Indication: pain Technique: axial images. Comparison: None Findings:  "
        "01. LIVER: Normal 02. SPLEEN: Normal. Electronic Signature: Jane Roe. IMPRESSION: 1. Normal liver."
    )
    assert cut(text) == [
        ("exam", "CT ABDOMEN WITH IV CONTRAST"),
        ("history", "pain"),
        ("technique", "axial images."),
        ("comparison", "None"),
        ("findings", "01. LIVER: Normal 02. SPLEEN: Normal."),
        ("other", "Jane Roe."),
        ("impression", "1. Normal liver."),
    ]


def test_impression_without_colon_before_its_list() -> None:
    assert cut("FINDINGS: Large liver. IMPRESSION 1. Hepatomegaly.")[-1] == ("impression", "1. Hepatomegaly.")


@pytest.mark.parametrize(
    "text",
    [
        "The number of Findings: three nodules are seen.",
        "Findings: 3\nThe liver is normal.",
        "We found these findings: a nodule and a cyst.",
        "QUALITY ASSESSMENT: Good. The heart is normal.",
        "LIVER: Normal.\nLungs and pleura: Clear.\nL1-2: Normal disc.",
        'The so-called "crazy paving" pattern is seen. "Tree-in-bud" opacities are seen as well.',
        "FINDINGS CONSISTENT WITH PNEUMONIA. No effusion.",
    ],
)
def test_what_looks_like_a_heading_and_is_none(text: str) -> None:
    assert cut(text) == [("findings", text)]


def test_the_patient_and_the_date_take_up_a_line() -> None:
    assert cut("Patient: Roe, J.\nLarge liver.\nMRN:\nCyst.") == [
        ("other", "Patient: Roe, J."), ("findings", "Large liver."), ("other", "MRN:"), ("findings", "Cyst."),
    ]  # fmt: skip


def test_a_banner_and_a_name_open_no_section() -> None:
    note = "CC: Pain.\nHX: Gallstones.\nMEDS: None.\nIMPRESSION: Cyst."
    assert cut(f"Patient: Roe\n{note}")[1:] == cut(note)
    assert cut(f"*** FINAL REPORT ***\n{note}")[1:] == cut(note)
    assert cut("FINAL REPORT\nLarge liver.")[-1] == ("findings", "Large liver.")
    assert cut("FINAL REPORT: Large liver.") == [("findings", "Large liver.")]


def test_headings_of_organs_stay_inside_the_findings() -> None:
    text = "FINDINGS:\nLIVER: Normal.\nLungs and pleura: Clear.\nIMPRESSION: Normal."
    assert cut(text)[0] == ("findings", "LIVER: Normal.\nLungs and pleura: Clear.")


def test_findings_before_a_lone_impression() -> None:
    assert cut("Lungs: clear. Heart: normal.\n\nIMPRESSION: Normal.") == [
        ("findings", "Lungs: clear. Heart: normal."),
        ("impression", "Normal."),
    ]


def test_title_and_patient_before_the_findings_are_not_findings() -> None:
    text = "This is a woman with a mass of the left parotid.\n\nFINDINGS:\nThere is a mass.\n\nIMPRESSION: Mass."
    assert cut(text)[0][0] == "exam"
    assert cut("CT KNEE\n\nFINDINGS: A fracture.") == [("findings", "A fracture.")]


def test_findings_without_a_heading_behind_history() -> None:
    text = "REASON FOR CT SCAN: Falls.\n\nThere are two subdurals.\n\nASSESSMENT: They improve.\n\nPLAN: See him again."
    assert cut(text) == [
        ("history", "Falls."),
        ("findings", "There are two subdurals."),
        ("impression", "They improve."),
        ("recommendation", "See him again."),
    ]


def test_findings_by_organ_behind_a_comparison() -> None:
    text = "Comparison:  1/30/2020 01. LIVER: Normal. 02. SPLEEN: Large."
    assert cut(text) == [("comparison", "1/30/2020"), ("findings", "01. LIVER: Normal. 02. SPLEEN: Large.")]
    text += " Other Findings: No adenopathy."
    assert [name for name, _ in cut(text)] == ["comparison", "findings", "findings"]
    text = "HISTORY: Pain. Thorax: Clear lungs."
    assert cut(text) == [("history", "Pain."), ("findings", "Thorax: Clear lungs.")]


def test_findings_that_run_on_from_a_comparison() -> None:
    findings = "The trachea is open. " + "The lungs are clear and the heart is of normal size. " * 8
    sections = cut("Comparison: CT dated 25.12.2019. " + findings)
    assert sections == [("comparison", "CT dated 25.12.2019."), ("findings", findings.strip())]


def test_technique_in_several_paragraphs_is_no_finding() -> None:
    text = "TECHNIQUE: Axial images.\n\n95 cc of Isovue were given.\n\nFINDINGS: Normal."
    assert cut(text) == [("technique", "Axial images.\n\n95 cc of Isovue were given."), ("findings", "Normal.")]


def test_signatures_and_calls_are_no_impression() -> None:
    text = "IMPRESSION:\n1. Appendicitis.\n2. The findings were reported to Dr. X.\nElectronically signed by Dr. Y"
    assert [body for name, body in cut(text) if name in READ_SECTIONS] == ["1. Appendicitis."]
    text = "FINDINGS: Normal.\nElectronically signed by Dr. Y\nThe liver is large."
    assert [body for name, body in cut(text) if name == "findings"] == ["Normal.", "The liver is large."]


def test_name_of_the_radiologist_is_no_impression() -> None:
    text = 'The bones are normal. " No new finding. Assist.Prof.Dr.Ayse YILMAZ Radiology Specialist'
    assert cut(text)[1:] == [
        ("impression", "No new finding."),
        ("other", "Assist.Prof.Dr.Ayse YILMAZ Radiology Specialist"),
    ]


def test_admission_note_has_nothing_to_read() -> None:
    text = "CC: Falls.\n\nHX: A man fell.\n\nPMH: HTN.\n\nMEDS: None.\n\nImpression: Stroke.\n\nCOURSE: A CT showed it."
    assert not {name for name, _ in cut(text)} & READ_SECTIONS


@pytest.mark.parametrize(
    "join",
    [' " ', '  "', " • ", " · ", " “", ' , " " ', ' ; " ', " ? ", " ?. ", " -"],
)
def test_joined_findings_and_impression(join: str) -> None:
    findings, impression = "Vertebral corpus heights are preserved.", 'Thymic hyperplasia." Cyst in the liver.'
    assert cut(findings + join + impression) == [("findings", findings), ("impression", impression)]


def test_question_in_the_findings_is_no_bullet() -> None:
    text = "A hypodense lesion is seen (cyst?). Viral pneumonia? The heart is normal."
    assert cut(text) == [("findings", text)]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            'FINDINGS:,Impression:,\n,\r\n,\n\n,. , ,LIVER:,normal,",•,3,CT HEAD,**,TECHNIQUE,##,'
            "Electronically signed by,HISTORY:,The lungs are clear,1.,:,CC:,HX:,Dr. A".split(",")
        ),
        max_size=25,
    ).map("".join)
    | st.text(max_size=80)
)
def test_sections_are_in_order_and_trimmed(text: str) -> None:
    sections = split_sections(text)
    place = 0
    for section in sections:
        assert place <= section.start < section.end <= len(text)
        body = text[section.start : section.end]
        assert body == body.strip()
        place = section.end
    clean = clean_text(text)
    headings = find_headings(clean.text)
    assert all(first.end <= second.start for first, second in pairwise(headings))
    if not headings:  # nothing but bullets and white space may lie outside
        bodies = [clean.text[slice(*clean.clean_span(section.start, section.end))] for section in sections]
        outside = set(clean.text) - set("".join(bodies))
        assert all(character.isspace() or character in '"“”•·●▪?.,;' for character in outside)


@pytest.mark.parametrize(
    "piece",
    [
        "a: ",
        "FINDINGS: a. ",
        "HISTORY: x\n",
        "lungs and ",
        "\n ",
        "# ",
        '. "A',
        "1. A",
        "CT HEAD ",
        "* ",
        "dr. ",
        "IMPRESSION ",
    ],
)
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    def seconds(size: int) -> float:
        text = "HISTORY: " + piece * (size // len(piece))
        start = time.process_time()
        split_sections(text)
        return time.process_time() - start

    # The best of three: a busy machine slows a long run more than a short one.
    short, long = (min(seconds(size) for _ in range(3)) for size in (20_000, 200_000))
    assert long < 40 * short + 0.05


def shared(name: str) -> Path:
    path = REPORTS / name
    if not path.exists():
        pytest.skip(f"the shared report collection is not here: {path}")
    return path


def test_every_dictated_report_is_split() -> None:
    with shared("mtsamples_ct.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    notes = [text for text in texts if text.startswith("CC:")]
    for text in texts:
        names = [name for name, _ in cut(text)]
        assert ("findings" in names) == (text not in notes)
        body = " ".join(body for name, body in cut(text) if name in READ_SECTIONS)
        for outside in ("TECHNIQUE:", "REASON FOR EXAM", "mL of Isovue", "informed consent", "communicated to the ER"):
            assert outside not in body


@pytest.mark.parametrize(
    ("text", "impression"),
    [
        ('The liver is normal.\n" Hepatic steatosis', "Hepatic steatosis"),
        ('the liver and the spleen are normal in size. " steatosis" no mass', 'steatosis" no mass'),
        ('The liver is normal. "Crazy paving" pattern is seen.', None),
        ("• The liver is normal. • The spleen is normal.", None),
        ("The liver is normal. • Hepatic steatosis.", "Hepatic steatosis."),
    ],
)
def test_bullets_open_the_impression_wherever_the_line_breaks(text: str, impression: str | None) -> None:
    assert dict(cut(text)).get("impression") == impression


def test_joined_impressions_of_real_reports() -> None:
    with shared("ctrate_chest_ct.csv").open(encoding="utf-8", newline="") as file:
        cuts = [[name for name, _ in cut(row["report_text"])] for row in csv.DictReader(file)]
    assert sum("impression" in names for names in cuts) == 681
    assert all("findings" in names for names in cuts)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        (
            "History: 54-year-old man with weight loss.\nThe spleen is enlarged at 15 cm.\nLung bases: clear.",
            "The spleen is enlarged at 15 cm.\nLung bases: clear.",
        ),
        (
            "Comparison: CTA of last year.\nILIACS: The left iliac artery measures 2.1 cm, previously 1.8 cm.",
            "ILIACS: The left iliac artery measures 2.1 cm, previously 1.8 cm.",
        ),
        (
            "TECHNIQUE: Thin slices. A cyst of the spleen measures 30 mm and is stable.\n\nThe liver is big.",
            "A cyst of the spleen measures 30 mm and is stable.\n\nThe liver is big.",
        ),
        ("History: Fell from a ladder. Cough\nand fever for\nsix days.", None),
        ("History: Pain in the left knee.\nHe has had fever.\nFINDINGS: The liver is normal.", "The liver is normal."),
    ],
)
def test_findings_without_a_heading_begin_on_a_line_of_their_own(text: str, findings: str | None) -> None:
    bodies = [text[section.start : section.end] for section in split_sections(text) if section.name == "findings"]
    assert bodies == ([] if findings is None else [findings])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "CT abdomen, CTA legs.\nThe liver is normal. Gallstones.\n\nCTA: The femoral artery is occluded.",
            ["The liver is normal. Gallstones.", "The femoral artery is occluded."],
        ),
        ("CT brain.\nPatient with headache.\nCT NECK: The thyroid is enlarged.", ["The thyroid is enlarged."]),
        ("CT chest.\nCough. The patient is a smoker.\nFINDINGS: Clear lungs.", ["Clear lungs."]),
        (
            "Drainage.\nPre-procedure: 3 cm collection.\nProcedure: A needle was advanced.\nPost-procedure: No gas.",
            ["3 cm collection.", "No gas."],
        ),
    ],
)
def test_findings_around_a_title_or_a_procedure(text: str, found: list[str]) -> None:
    """A second title further on takes no findings from the line below the first; a procedure ends before its check."""
    assert [body for name, body in cut(text) if name == "findings"] == found
