"""Column layouts of public collections, found by their headers or named."""

from __future__ import annotations

import pytest

from curation.readers.layouts import find_layout, unknown_text
from curation.runtime.errors import InputError

LAYOUTS = {
    "CT-RATE": (
        "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN",
        "VolumeName",
        [["Findings_EN/findings", "Impressions_EN/impression"]],
    ),
    "CT-CLIP": ("AccessionNo,report_text,Medical material", "AccessionNo", [["report_text/findings"]]),
    "Merlin": ("study id,Findings,Split,Few Shot", "study id", [["Findings/findings"]]),
    "RadGenome": ("Volumename,Anatomy,Sentence", "Volumename", [["Sentence/findings"]]),
    "INSPECT": ("impression_id,impressions", "impression_id", [["impressions/impression"]]),
    "AbdomenAtlas": (
        "BDMAP ID,structured report,narrative report,fusion narrative report",
        "BDMAP ID",
        [["narrative report/findings"], ["structured report/findings"], ["fusion narrative report/findings"]],
    ),
    "AMOS-MM": (
        "image,labels.report.findings.chest,labels.report.findings.abdomen,labels.qa",
        "image",
        [["labels.report.findings.chest/findings", "labels.report.findings.abdomen/findings"]],
    ),
    "CheXpert Plus": (
        "deid_patient_id,path_to_image,report,section_findings,section_impression,section_clinical_history",
        "path_to_image",
        [["section_findings/findings", "section_impression/impression"], ["report/findings"]],
    ),
    "SRRG": (
        "findings_section,impression_section,history_section,technique_section,comparison_section",
        None,
        [["findings_section/findings", "impression_section/impression"]],
    ),
    "RADAR": (
        "key,report,findings,impression,split",
        "key",
        [["findings/findings", "impression/impression"], ["report/findings"]],
    ),
    "MTSamples": ("sample_id,specialty,text", "sample_id", [["text/findings"]]),
    "kidney": ("acc_num,narrative,impression", "acc_num", [["narrative/findings", "impression/impression"]]),
    "generic": ("ID,Full Report", "ID", [["Full Report/findings"]]),
    "conclusion": ("id,text,conclusion", "id", [["text/findings", "conclusion/impression"], ["conclusion/impression"]]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_known_layouts(name: str) -> None:
    header, id_column, texts = LAYOUTS[name]
    for columns in (header.split(","), header.upper().split(",")):
        layout = find_layout(columns)
        same = columns[header.split(",").index(id_column)] if id_column else None
        assert layout.id_column == same
        alternatives = [[f"{column.name}/{column.section}" for column in alternative] for alternative in layout.texts]
        assert [[text.lower() for text in texts] for texts in alternatives] == [[t.lower() for t in ts] for ts in texts]
        assert (layout.heading is not None) == (name == "RadGenome")


def test_translated_columns_are_preferred() -> None:
    layout = find_layout(["id", "Findings", "Findings_EN"])
    assert [column.name for column in layout.texts[0]] == ["Findings_EN"]


def test_named_columns_win_and_are_found_in_any_case() -> None:
    layout = find_layout(["id", "case", "Rapport", "Impression text", "report"], "CASE", ["rapport", "impression_text"])
    assert layout.id_column == "case"
    assert [(column.name, column.section) for column in layout.texts[0]] == [
        ("Rapport", "findings"),
        ("Impression text", "impression"),
    ]
    assert find_layout(["Technique", "x"], text_columns=["Technique"]).texts[0][0].section == "technique"


def test_named_text_is_not_the_id() -> None:
    assert find_layout(["name", "note"], text_columns=["name"]).id_column is None


def test_unknown_columns_are_listed_with_the_flag_to_use() -> None:
    assert find_layout(["a", "b"]).texts == ()
    error = str(unknown_text(["a", "b"], None))
    assert "Columns seen: a, b." in error and "--text-column NAME, and the one with the ids with --id-column" in error
    assert "--id-column" not in str(unknown_text(["id", "b"], "id"))
    with pytest.raises(InputError, match=r"no column 'c' \(--id-column\)\. Columns seen: a, b"):
        find_layout(["a", "b"], id_column="c")
    with pytest.raises(InputError, match=r"no column 'c' \(--text-column\)"):
        find_layout(["a", "b"], text_columns=["c"])
    assert "and 70 more" in str(unknown_text([f"c{number}" for number in range(100)], None))


def test_columns_of_the_same_name_are_read_together() -> None:
    layout = find_layout(["id", "Findings", "FINDINGS", "Findings (2)", "Impression"])
    assert [(text.name, text.held) for text in layout.texts[0]] == [
        ("Findings", False),
        ("FINDINGS", True),
        ("Findings (2)", True),
        ("Impression", False),
    ]
    assert find_layout(["id", "a", "a (2)"], text_columns=["A"]).text_columns == ("a", "a (2)")
    assert find_layout(["id", "Findings (2)", "report"]).text_columns == ("report",)
