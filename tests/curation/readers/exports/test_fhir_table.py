"""Files of FHIR resources as rows of reports: sources of text, versions, what is left out and what is broken."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from curation.readers.reports import ColumnsRead, read_reports
from tests.curation.readers.reading import Problems, read_table

TEXT = "FINDINGS: Lungs clear. Spleen of 11 cm.\nIMPRESSION: No acute disease."


def attached(text: str | bytes, kind: str = "text/plain") -> dict[str, str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return {"contentType": kind, "data": base64.b64encode(raw).decode()}


def report(**elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"coding": [{"code": "CTCHE", "display": "CT CHEST"}]},
        "presentedForm": [attached(TEXT)],
        **elements,
    }


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": resource} for n, resource in enumerate(resources, 1)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def read(path: Path, content: Any) -> tuple[list[dict[str, str]], Problems]:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_table(path)


PATIENT = {"resourceType": "Patient", "id": "p"}
TWO = [report(), report(id="r2")]
FORMS = {
    "one": json.dumps(report()),
    "sorted": json.dumps(report(presentedForm=[attached(TEXT + " " * 20_000)]), sort_keys=True),
    "indented": json.dumps(report(), indent=2),
    "bundle": json.dumps(bundle(report())),
    "bundle with its kind last": json.dumps(dict(reversed(bundle(report()).items()))),
    "list": json.dumps([report()], indent=1),
    "lines": json.dumps(report()) + "\n",
    "bundle in a line": json.dumps(bundle(report())) + "\n\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.txt", "a"])
def test_a_report_in_every_form_of_file(tmp_path: Path, form: str, name: str) -> None:
    rows, problems = read(tmp_path / name, FORMS[form])
    assert problems == []
    assert rows == [
        {
            "report_id": "r1",
            "report": TEXT,
            "examination": "CT CHEST",
            "modality": "",
            "examination_code": "CTCHE",
            "status": "final",
            "resource_id": "r1",
        }
    ]


def texts(path: Path, content: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """Id and text of each report, and the problems in words; a problem that loses a report begins with "-"."""
    rows, problems = read(path / "a.json", content)
    return [(row["report_id"], row["report"]) for row in rows], [
        ("" if kept else "-") + problem for _, problem, kept in problems
    ]


def test_a_gzipped_bulk_export_of_many_reports(tmp_path: Path) -> None:
    lines = "".join(json.dumps(report(id=f"r{number}")) + "\n" for number in range(300))
    (tmp_path / "DiagnosticReport.ndjson.gz").write_bytes(gzip.compress(lines.encode()))
    rows, problems = read_table(tmp_path / "DiagnosticReport.ndjson.gz")
    assert problems == []
    assert [row["report_id"] for row in rows] == [f"r{number}" for number in range(300)]


def test_what_is_read_is_told_before_the_first_report(tmp_path: Path) -> None:
    columns: list[ColumnsRead] = []
    (tmp_path / "a.txt").write_text(json.dumps(bundle(report(), report(id="r2", identifier=[{"value": "I2"}]))))
    reports = list(read_reports(tmp_path / "a.txt", on_columns=columns.append))
    assert columns == [ColumnsRead("id or identifier", ("presentedForm",), "utf-8", "FHIR")]
    assert [(report.report_id, report.source["examination"]) for report in reports] == [
        ("r1", "CT CHEST"), ("I2", "CT CHEST"),
    ]  # fmt: skip


ACCESSION = {"type": {"coding": [{"code": "ACSN"}]}, "value": "ACC1"}


@pytest.mark.parametrize(
    ("identifiers", "name"),
    [([], "r1"), ([{"value": "I1"}, {"value": "I2"}], "I1"), ([{"value": "I1"}, ACCESSION], "ACC1"), ([{}], "r1")],
)
def test_the_id_is_the_accession_number_or_an_identifier(
    tmp_path: Path, identifiers: list[dict[str, Any]], name: str
) -> None:
    assert texts(tmp_path, report(identifier=identifiers)) == ([(name, TEXT)], [])


NARRATIVE = {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'><p>Liver<br/>normal.</p></div>"}
RESULTS = [{"reference": "#o1"}, {"reference": "Observation/o2"}, {"reference": "urn:uuid:3"}]
OBSERVATIONS = [
    {"resourceType": "Observation", "id": "o2", "code": {"text": "Impression"}, "valueString": "No stone."},
    {"resourceType": "Observation", "id": "o3", "code": {"text": "Size"}, "valueString": "Spleen 11 cm."},
]
CONTAINED = [
    {"resourceType": "Observation", "id": "o1", "code": {"coding": [{"code": "59776-5"}]}, "valueString": "Liver big."}
]


@pytest.mark.parametrize(
    ("elements", "text", "problem"),
    [
        ({"presentedForm": [attached(b"%PDF-1", "application/pdf"), attached("Plain.")]}, "Plain.", ""),
        ({"presentedForm": [attached("<p>Page.</p>", "text/html"), attached("Plain.")]}, "Plain.", ""),
        ({"presentedForm": [attached("<p>Liver&nbsp;big.</p>", "text/html")]}, "Liver big.", ""),
        ({"presentedForm": [attached(rb"{\rtf1\ansi Liver big.}", "text/rtf")]}, "Liver big.", ""),
        ({"presentedForm": [attached("Größe".encode("latin-1"), "text/plain; charset=iso-8859-1")]}, "Größe", ""),
        ({"presentedForm": [attached("ő".encode("iso8859-2"), "text/plain;charset=ISO-8859-2")]}, "ő", ""),
        ({"presentedForm": [attached("Größe".encode("utf-16"), "text/plain")]}, "Größe", ""),
        ({"presentedForm": [attached("Größe".encode("cp1252"), "text/plain; charset=utf-8")]}, "Größe", ""),
        ({"presentedForm": [attached("Plain.")], "text": NARRATIVE, "conclusion": "Plain"}, "Plain.", ""),
        ({"presentedForm": [attached("Plain.")], "conclusion": "No stone."}, "Plain.\n\nIMPRESSION:\nNo stone.", ""),
        ({"presentedForm": [], "text": NARRATIVE}, "Liver\nnormal.", ""),
        ({"presentedForm": [], "text": NARRATIVE | {"status": "empty"}, "conclusion": "A."}, "IMPRESSION:\nA.", ""),
        ({"presentedForm": [{"contentType": "text/plain", "url": "Binary/b1"}]}, "Of a Binary.", ""),
        (
            {"presentedForm": [attached(b"%PDF-1", "application/pdf")], "text": NARRATIVE},
            "Liver\nnormal.",
            "presentedForm 1: a PDF; convert it with pdftotext -layout, which is not read",
        ),
        (
            {"presentedForm": [{"contentType": "application/pdf", "url": "https://pacs/1"}], "text": NARRATIVE},
            "Liver\nnormal.",
            "presentedForm 1: application/pdf at https://pacs/1, which is not in the file and is not fetched",
        ),
        (
            {"presentedForm": [{"contentType": "text/plain", "data": "TGl2ZX"}], "conclusion": "A."},
            "IMPRESSION:\nA.",
            "presentedForm 1: base64 that is broken or cut off",
        ),
        (
            {"presentedForm": [], "result": RESULTS, "contained": CONTAINED},
            "FINDINGS:\nLiver big.\n\nIMPRESSION:\nNo stone.\n\nREPORT:\nSize: Spleen 11 cm.",
            "",
        ),
        (
            {"presentedForm": [], "result": RESULTS[:1], "text": NARRATIVE},
            "Liver\nnormal.",
            "1 results have no text in this file (#o1)",
        ),
    ],
)
def test_the_text_is_that_of_the_best_source(tmp_path: Path, elements: dict[str, Any], text: str, problem: str) -> None:
    binary = {"resourceType": "Binary", "id": "b1", **attached("Of a Binary.")}
    rows, problems = texts(tmp_path, bundle(report(**elements), OBSERVATIONS[0], OBSERVATIONS[1], binary))
    assert rows == [("r1", text)]
    assert problems[-1] == "3 other resources are no reports (2 Observation, 1 Binary)"
    assert [line.startswith(f"entry 1, DiagnosticReport r1: {problem}") for line in problems[:-1]] == [True] * bool(
        problem
    )


def test_panels_and_components_of_results(tmp_path: Path) -> None:
    panel = {"resourceType": "Observation", "id": "p", "hasMember": [{"reference": "Observation/p"}, RESULTS[1]]}
    itself = [{"reference": "urn:uuid:1"}]
    nameless = {"resourceType": "Observation", "valueString": "Over and over.", "hasMember": itself}
    parts = {
        "resourceType": "Observation",
        "id": "c",
        "component": [{"code": {"text": "Liver"}, "valueString": "normal"}, {"valueQuantity": {"value": 3}}],
    }
    gone = {"resourceType": "Observation", "id": "g", "status": "entered-in-error", "valueString": "Wrong."}
    results = [{"reference": f"https://server/fhir/Observation/{name}/_history/2"} for name in "pcg"]
    rows, _ = texts(tmp_path, [gone, parts, panel, OBSERVATIONS[0], report(presentedForm=[], result=results)])
    assert rows == [("r1", "IMPRESSION:\nNo stone.\n\nREPORT:\nLiver: normal")]
    circle = bundle(nameless, report(presentedForm=[], result=itself))
    assert texts(tmp_path, circle)[0] == [("r1", "Over and over.")]


EARLY, LATE = "2024-01-02T00:30:00+02:00", "2024-01-01T23:00:00Z"


def versioned(text: str, status: str = "final", **meta: str) -> dict[str, Any]:
    return report(presentedForm=[attached(text)], status=status, meta=meta)


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        ([versioned("A", versionId="1"), versioned("B", versionId="2")], "B"),
        ([versioned("A", versionId="10"), versioned("B", versionId="9")], "A"),
        (
            [
                versioned("A", lastUpdated="2024-01-02T00:30:00+02:00"),
                versioned("B", lastUpdated="2024-01-01T23:00:00Z"),
            ],
            "B",
        ),
        ([versioned("A", lastUpdated="2024-01-02T10:00:00Z"), versioned("B", lastUpdated="2024-01-01T23:00:00Z")], "A"),
        ([versioned("A", "final"), versioned("B", "preliminary")], "A"),
        ([versioned("A", "final", lastUpdated=EARLY), versioned("B", "preliminary", lastUpdated=LATE)], "B"),
        ([versioned("A", "preliminary"), versioned("B", "final"), versioned("C", "amended")], "C"),
        ([versioned("A") | {"issued": "2024-01-02"}, versioned("B") | {"issued": "2024-01-01"}], "A"),
        ([versioned("A", versionId="1"), versioned("B", "entered-in-error", versionId="2")], None),
        ([versioned("A", "cancelled")], None),
    ],
)
def test_the_newest_version_is_read(tmp_path: Path, versions: list[dict[str, Any]], newest: str | None) -> None:
    rows, problems = texts(tmp_path, versions)
    assert rows == ([("r1", newest)] if newest else [])
    assert len(problems) == len(versions) - len(rows)
    assert all(problem.startswith("-entry ") and problem.endswith("left out") for problem in problems)


def test_the_modality_is_that_of_the_study_or_the_category(tmp_path: Path) -> None:
    study = {"resourceType": "ImagingStudy", "id": "s", "modality": [{"system": "dcm", "code": "MR"}]}
    contained = {"resourceType": "ImagingStudy", "id": "c", "modality": [{"coding": [{"code": "US"}]}]}
    rows, _ = read(
        tmp_path / "a.json",
        bundle(
            report(imagingStudy=[{"reference": "ImagingStudy/s"}]),
            report(id="r2", contained=[contained], study=[{"reference": "#c"}]),
            report(id="r3", category=[{"coding": [{"code": "LP29684-5"}, {"code": "CT"}]}]),
            report(id="r4"),
            study,
        ),
    )
    assert [row["modality"] for row in rows] == ["MR", "US", "CT", ""]


NO_TEXT = "-entry 2, DiagnosticReport r2: no text in presentedForm, result, text or conclusion"


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (report(id="r2", presentedForm=[]), NO_TEXT),
        (report(id="r2", presentedForm=[attached("")]), NO_TEXT),
        (report(id="r2", presentedForm="x", text=[], conclusion=3), NO_TEXT),
        ({"id": "x"}, "-entry 2: no resource, which would be an object with a resourceType"),
        ("text", "-entry 2: no resource, which would be an object with a resourceType"),
        ({"resourceType": "DiagnosisReport", "id": "x"}, "1 other resources are no reports (1 DiagnosisReport)"),
    ],
)
def test_a_bad_entry_does_not_lose_the_others(tmp_path: Path, bad: Any, problem: str) -> None:
    assert texts(tmp_path, [report(), bad, report(id="r3")]) == ([("r1", TEXT), ("r3", TEXT)], [problem])


def test_a_bad_line_does_not_lose_the_others(tmp_path: Path) -> None:
    lines = [json.dumps(report()), json.dumps(report(id="r2"))[:100], json.dumps(report(id="r3"))]
    rows, problems = read(tmp_path / "a.ndjson", "\n".join(lines))
    assert [row["report_id"] for row in rows] == ["r1", "r3"]
    assert [(row, problem[:17], kept) for row, problem, kept in problems] == [(2, "line 2: not JSON ", False)]


def test_wherever_a_bundle_is_cut_off_whole_reports_are_read(tmp_path: Path) -> None:
    whole = json.dumps(bundle(report(), report(id="r2")))
    first_end, second_end = whole.index('{"fullUrl": "urn:uuid:2"') - 2, len(whole) - 2
    for end in range(200, len(whole), 7):
        rows, problems = texts(tmp_path, whole[:end])
        assert len(rows) == (end >= first_end) + (end >= second_end)
        assert problems[-1].startswith(f"-entry {len(rows) + 1}: not JSON")
    assert len(texts(tmp_path, whole)[0]) == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"id": 1, "report": "Liver normal.", "fhir": {"resourceType": "Patient"}}',
        '[{"id": 1, "report": "resourceType"}]',
        '{"resourceType, id": "resourceType", "report": "Liver normal."}',
    ],
)
def test_other_json_is_not_taken_for_fhir(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    columns: list[ColumnsRead] = []
    list(read_reports(tmp_path / "a.json", on_columns=columns.append))
    assert columns[0].format == "JSON"
