"""Which columns hold identifiers by their name, and which of their cells are some."""

import pytest

from curation.privacy.columns import blanked_cell, identifiers_in_cell, kind_of_column


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("PatientName", "name"), ("patient_name", "name"), ("Name", "name"), ("LAST NAME", "name"),
        ("Referring Physician", "name"), ("radiologist", "name"), ("signed_by", "name"), ("AttendingName", "name"),
        ("DOB", "date"), ("PatientBirthDate", "date"), ("study_date", "date"), ("ExamDateTime", "date"),
        ("Date of birth", "date"), ("MRN", "record_number"), ("PatientID", "record_number"),
        ("Accession Number", "record_number"), ("StudyInstanceUID", "record_number"), ("SSN", "record_number"),
        ("HomePhone", "phone"), ("fax_number", "phone"), ("Address", "address"), ("zip code", "address"),
        ("VolumeName", None), ("sample_name", None), ("update", None), ("Findings_EN", None), ("Age", None),
        ("PatientSex", None), ("case_id", None), ("Medical material", None), ("mandate", None), ("sid", None),
    ],
)  # fmt: skip
def test_columns_by_their_names(column: str, kind: str | None) -> None:
    assert kind_of_column(column) == kind


@pytest.mark.parametrize(
    ("column", "cell", "kinds"),
    [
        ("PatientName", "okonkwo ada", ["name"]),
        ("PatientName", "n/a", []),
        ("PatientName", "subject 12", []),
        ("ReferringPhysician", "Emergency Department", []),
        ("StudyDate", "20190214", ["date"]),
        ("StudyDate", "2019", []),
        ("birth_date", "Feb 1950", ["date"]),
        ("AccessionNo", "train_1", []),
        ("AccessionNo", "CT0044192", ["record_number"]),
        ("Phone", "234 5678", ["phone"]),
        ("City", "Springfield", ["address"]),
        ("Comment", "seen by Dr. Lowell", ["name"]),
        ("DepthSpacing", "0.742187976837158", []),
        ("DataCollectionDiameter", "500.0", []),
    ],
)
def test_cells(column: str, cell: str, kinds: list[str]) -> None:
    assert [one.kind for one in identifiers_in_cell(column, cell)] == kinds
    assert (blanked_cell(column, cell) == cell) == (not kinds)
