"""Which phrases are headings, in every dress, and where findings begin that have none."""

from __future__ import annotations

import pytest

from curation.readers.heading_phrases import section_of
from curation.readers.headings import find_headings
from curation.readers.sections import split_sections
from curation.report import READ_SECTIONS

BEFORE = "EXAM: CT ABDOMEN\nINDICATION: Pain.\nTECHNIQUE: Axial images after contrast.\n"
FINDINGS = "The spleen is large.\nThe left kidney has a cyst."
IMPRESSION = "Splenomegaly."


@pytest.mark.parametrize(
    ("phrase", "section"),
    [("Technique and findings", "findings"), ("reason for  exam", "history"), ("Liver", None), ("", None)],
)
def test_section_of(phrase: str, section: str | None) -> None:
    assert section_of(phrase) == section


@pytest.mark.parametrize(
    ("phrase", "section"),
    [
        ("Radiologist's findings", "findings"),
        ("F I N D I N G S", "findings"),
        ("[FINDINGS]", "findings"),
        ("Finding(s)", "findings"),
        ("Findings (CT of the neck)", "findings"),
        ("Findings are as follows", "findings"),
        ("FINDINGS ON CT OF THE CHEST", "findings"),
        ("Final report", "findings"),
        ("Report text", "findings"),
        ("Final impression", "impression"),
        ("Impression/Plan", "impression"),
        ("Conclusion(s)", "impression"),
        ("In conclusion", "impression"),
        ("Summary of findings", "impression"),
        ("Scan technique", "technique"),
        ("Clinical findings", "history"),
        ("Prior findings", "comparison"),
        ("Findings consistent with pneumonia", None),
        ("Study", "exam"),
        ("The liver", None),
    ],
)
def test_phrases_within_longer_headings(phrase: str, section: str | None) -> None:
    assert section_of(phrase) == section


def bodies(text: str, name: str) -> list[str]:
    return [text[section.start : section.end] for section in split_sections(text) if section.name == name]


ON_A_LINE = (
    "{}|{}:|{} :|{}.|{} -|{} \u2013|[{}]|[{}]:|({})|<<{}>>|=== {} ===|--- {} ---|***** {} *****|## {}|### **{}:**|"
    "**{}**|_{}_|> {}:|\u2022 {}:|1. {}:|2) {}|II. {}|B. {}:"
).split("|")
RUN_IN = ["{}: ", "{} : ", "{} - ", "{} \u2013 ", "{} -- ", "{}. ", "{} | ", "{}; ", "[{}]: ", "**{}:** ", "3. {}: "]


@pytest.mark.parametrize("dress", [f"{style}\n" for style in ON_A_LINE] + RUN_IN)
@pytest.mark.parametrize(
    ("first", "second"),
    [("FINDINGS", "IMPRESSION"), ("Findings", "Conclusion"), ("Report", "Opinion"), ("Observations", "Summary")],
)
def test_headings_in_every_dress(dress: str, first: str, second: str) -> None:
    text = f"{BEFORE}{dress.format(first)}{FINDINGS}\n\n{dress.format(second)}{IMPRESSION}"
    assert bodies(text, "findings") == [FINDINGS]
    assert bodies(text, "impression") == [IMPRESSION]


@pytest.mark.parametrize("heading", ["Body", "Narrative", "Radiology report", "CT findings", "Findings/Observations"])
def test_other_words_for_findings(heading: str) -> None:
    assert bodies(f"{BEFORE}{heading}: {FINDINGS}\nIMPRESSION: {IMPRESSION}", "findings") == [FINDINGS]


def test_body_of_an_organ_is_no_heading() -> None:
    text = "FINDINGS:\nPancreas\nHead: normal.\nBody: a cyst.\nIMPRESSION: Cyst."
    assert bodies(text, "findings") == ["Pancreas\nHead: normal.\nBody: a cyst."]


def test_findings_before_any_heading_are_read() -> None:
    text = "Pancreas\nHead: normal.\nBody: a cyst.\nTail: normal."
    assert bodies(text, "findings") == [text]
    assert bodies(f"{FINDINGS}\n\nTECHNIQUE: Axial images were obtained.", "findings") == [FINDINGS]
    assert bodies(f"CT ABDOMEN\n\n{FINDINGS}\n\nPROCEDURE: Axial images.\nIMPRESSION: None.", "findings") == [FINDINGS]


def test_findings_go_on_behind_a_comparison_in_the_middle() -> None:
    text = f"FINDINGS: {FINDINGS}\nCOMPARISON: CT of 2020.\nThe liver is normal.\nIMPRESSION: {IMPRESSION}"
    assert bodies(text, "findings") == [FINDINGS, "The liver is normal."]


@pytest.mark.parametrize("heading", ["Impression 1. ", "IMPRESSION 1) ", "Impression\n1. ", "Summary - 1. "])
def test_a_list_opens_behind_a_bare_heading(heading: str) -> None:
    assert bodies(f"{FINDINGS} {heading}Cyst 2. Splenomegaly", "findings") == [FINDINGS]


def test_diagnosis_is_told_by_its_place() -> None:
    assert bodies(f"DIAGNOSIS: Lymphoma.\nFINDINGS: {FINDINGS}", "history") == ["Lymphoma."]
    assert bodies(f"FINDINGS: {FINDINGS}\nDIAGNOSIS: Lymphoma.", "impression") == ["Lymphoma."]
    assert bodies(f"{FINDINGS}\n\nDiagnosis: Lymphoma.", "findings") == [FINDINGS]


def test_sections_in_another_order_and_more_than_once() -> None:
    text = (
        "IMPRESSION: Cyst.\nFINDINGS: CHEST: Clear.\nTECHNIQUE: Axial.\nFINDINGS: ABDOMEN: A cyst.\nCOMPARISON: None."
    )
    assert bodies(text, "findings") == ["CHEST: Clear.", "ABDOMEN: A cyst."]
    assert bodies(text, "impression") == ["Cyst."]


@pytest.mark.parametrize(
    "before",
    [
        "PROCEDURE: Axial images were obtained with contrast.",
        "EXAM: CTA CHEST\nINDICATION: Pain.\nPROCEDURE: Thin slices through the aorta after a bolus.",
        "TECHNIQUE: Helical scan, 5 mm.\n\n100 ml of contrast were given.",
        "PROCEDURES: CT of the abdomen. Oral and intravenous contrast were given.",
        "STUDY: CT ABDOMEN AND PELVIS",
        "CT ABDOMEN\nTECHNIQUE: Multiplanar reformats.",
        "Exam: CT of 1/2/2020\n\nComparison: None.",
        "EXAM: CT\nSCAN TECHNIQUE: 1 mm sections, coronal reformats.",
    ],
)
@pytest.mark.parametrize("gap", ["\n\n", "\n", " "])
def test_findings_without_a_heading_behind_the_examination(before: str, gap: str) -> None:
    if gap == " " and not before.endswith("."):
        gap = "\n"
    text = f"{before}{gap}{FINDINGS}\n\nIMPRESSION: {IMPRESSION}"
    assert bodies(text, "findings") == [FINDINGS]


@pytest.mark.parametrize(
    "text",
    [
        "PROCEDURE: CT-guided biopsy of the liver.\n\nThe needle is in the lesion. No hematoma.\n\nIMPRESSION: Done.",
        "PROCEDURE: The patient was prepped.\n\nThe left kidney is large. A drain was placed.",
        "TECHNIQUE: Axial images.\n\nNo oral contrast was given.\n\nFINDINGS: Normal.",
    ],
)
def test_what_is_told_of_a_procedure_is_no_finding(text: str) -> None:
    read = " ".join(
        text[section.start : section.end] for section in split_sections(text) if section.name in READ_SECTIONS
    )
    assert read in {"Done.", "Normal.", ""}


def test_a_sentence_that_begins_with_a_modality_is_no_title() -> None:
    assert find_headings("Liver lesion.\n- PET-CT and histopathological verification are recommended.\nNo mass.") == []


@pytest.mark.parametrize(
    "title", ["X-RAY CHEST", "XR LEFT KNEE", "ULTRASOUND ABDOMEN", "US LIVER:", "SPECT/CT OF THE SPINE"]
)
def test_titles_of_other_modalities_open_the_findings(title: str) -> None:
    assert [heading.section for heading in find_headings(f"{title}\nNo abnormality is seen.")] == ["findings"]


def test_headings_of_a_note_whose_lines_were_joined() -> None:
    text = "CC: weak. HX: Well. No fever. COURSE: CT showed a mass. CT-GUIDED BIOPSY, LIVER MASS: A needle was put in."
    assert [(text[heading.start : heading.end].strip(), heading.section) for heading in find_headings(text)] == [
        ("CC:", "history"),
        ("HX:", "history"),
        ("COURSE:", "other"),
        ("CT-GUIDED BIOPSY, LIVER MASS:", "other"),
    ]
    assert find_headings("The liver is large. LIVER: Large. CT ABDOMEN: Large.") == []
