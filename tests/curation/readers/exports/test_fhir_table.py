"""Files of FHIR resources as rows of reports: sources of text, versions, what is left out and what is broken."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

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
