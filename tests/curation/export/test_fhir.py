"""Captions as FHIR R4: valid by the models of another package, and read back without loss."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.provenance import Provenance
from typer.testing import CliRunner

import ovct
from curation.caption_set.manifest import load_manifest
from curation.caption_set.schemas import evidence_spans
from curation.caption_set.work_folder import SetError
from curation.export.fhir_file import write_fhir
from curation.export.fhir_resources import caption_row, observation
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress
from tests.curation.audit.builders import accepted_caption, make_report, plain_reports, write_set

MODELS: dict[str, Any] = {"Observation": Observation, "DiagnosticReport": DiagnosticReport, "Provenance": Provenance}


def resources(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows_of(root: Path) -> list[dict[str, Any]]:
    """The rows of captions, with the places of all passages in order."""
    rows: list[dict[str, Any]] = pq.read_table(root / "captions").to_pylist()
    for row in rows:
        row["evidence_spans"] = [{"start": start, "end": end} for start, end in sorted(evidence_spans(row))]
    return rows


@pytest.fixture(scope="module")
def example_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fhir") / "captions"
    reports = Path(__file__).resolve().parents[3] / "examples" / "reports.csv"
    assert CliRunner().invoke(ovct.app, ["curate", str(reports), "--out", str(root), "--quiet"]).exit_code == 0
    return root


def test_every_resource_is_valid_and_every_caption_comes_back(example_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "captions.ndjson"
    counts = write_fhir(example_set, out, Progress())
    written = resources(out)
    for resource in written:
        MODELS[resource["resourceType"]].model_validate(resource)
    assert Counter(one["resourceType"] for one in written) == counts
    back = [caption_row(one) for one in written if one["resourceType"] == "Observation"]
    assert back == rows_of(example_set) and len(back) == sum(part.captions for part in load_manifest(example_set).parts)
    assert len({one["id"] for one in written}) == len(written)
    assert out.stat().st_mode & 0o077 == 0


def test_offsets_belong_to_the_text_of_the_report(example_set: Path, tmp_path: Path) -> None:
    write_fhir(example_set, tmp_path / "captions.ndjson", Progress())
    written = resources(tmp_path / "captions.ndjson")
    by_reference = {f"{one['resourceType']}/{one['id']}": one for one in written}
    reports = [one for one in written if one["resourceType"] == "DiagnosticReport"]
    assert len(reports) == 43
    for report in reports:
        text = base64.b64decode(report["presentedForm"][0]["data"]).decode()
        for reference in report["result"]:
            row = caption_row(by_reference[reference["reference"]])
            assert row["report_id"] == report["identifier"][0]["value"]
            assert text[row["evidence_start"] : row["evidence_end"]] == row["evidence"]
    provenance = [one for one in written if one["resourceType"] == "Provenance"]
    targets = {target["reference"] for one in provenance for target in one["target"]}
    assert targets == by_reference.keys() - {f"Provenance/{one['id']}" for one in provenance}
    assert all("engine rules" in one["agent"][0]["who"]["display"] for one in provenance)


def test_organs_have_their_snomed_code_where_the_vocabulary_has_it(example_set: Path, tmp_path: Path) -> None:
    write_fhir(example_set, tmp_path / "captions.ndjson", Progress(), with_text=False)
    written = resources(tmp_path / "captions.ndjson")
    codes = {one["bodySite"]["text"]: one["bodySite"].get("coding") for one in written if "bodySite" in one}
    assert codes["left kidney"] == [{"system": "http://snomed.info/sct", "code": "64033007"}]
    assert not any("presentedForm" in one for one in written)


def test_text_that_fhir_has_no_string_for_is_left_to_its_offsets(tmp_path: Path) -> None:
    text = "The liver\x0bis normal."
    row = {
        "report_id": "a#1", "organ": "my organ", "caption": "Liver is normal", "status": "normal", "evidence": text,
        "evidence_start": 0, "evidence_end": len(text), "evidence_spans": None, "section": None, "score": None,
        "basis": None, "engine": "rules", "model": None, "prompt": None,
    }  # fmt: skip
    resource = observation(row, "abc-1", None)
    Observation.model_validate(resource)
    back = caption_row(resource)
    assert back == {**row, "evidence": "", "evidence_spans": [{"start": 0, "end": len(text)}]}
    assert "coding" not in resource["bodySite"]


def test_reports_without_captions_and_several_parts(tmp_path: Path) -> None:
    text = "Nothing here."
    rows = [*plain_reports(5), (make_report(90, text), [], []), *(list(plain_reports(7))[5:])]
    write_set(tmp_path / "set", rows, reports_per_part=3)
    counts = write_fhir(tmp_path / "set", tmp_path / "out.ndjson", Progress())
    assert counts == {"Observation": 21, "DiagnosticReport": 8, "Provenance": 8}
    back = [caption_row(one) for one in resources(tmp_path / "out.ndjson") if one["resourceType"] == "Observation"]
    assert back == rows_of(tmp_path / "set")
    for resource in resources(tmp_path / "out.ndjson"):
        MODELS[resource["resourceType"]].model_validate(resource)


def test_wrong_calls_write_nothing(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(2))
    (tmp_path / "there.ndjson").write_text("mine")
    for out, message in [
        (tmp_path / "there.ndjson", "is there already"),
        (tmp_path / "captions.csv", r"a name that ends in \.ndjson"),
        (tmp_path / "none" / "out.ndjson", "no such folder"),
    ]:
        with pytest.raises(InputError, match=message):
            write_fhir(tmp_path / "set", out, Progress())
    load_manifest(tmp_path / "set").model_copy(update={"complete": False}).save(tmp_path / "set")
    with pytest.raises(SetError, match="unfinished"):
        write_fhir(tmp_path / "set", tmp_path / "out.ndjson", Progress())
    assert (tmp_path / "there.ndjson").read_text() == "mine" and not (tmp_path / "out.ndjson").exists()
    with pytest.raises(ValueError, match="is no caption of ovct"):
        caption_row({"resourceType": "Patient", "id": "1"})


def test_stopped_on_the_way_there_is_no_file(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(20))

    class Stopping(Progress):
        left = 12

        def raise_if_interrupted(self) -> None:
            self.left -= 1
            if not self.left:
                raise Interrupted

    with pytest.raises(Interrupted):
        write_fhir(tmp_path / "set", tmp_path / "out.ndjson", Stopping())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


def test_a_caption_of_no_report_is_told(tmp_path: Path) -> None:
    text = "The liver is normal."
    captions = [accepted_caption(text, text, "liver", "The liver is normal")]
    manifest = write_set(tmp_path / "set", [(make_report(1, text), captions, [])])
    path = tmp_path / "set" / "captions" / "part-00000.parquet"
    table = pq.read_table(path)
    table = table.set_column(0, "report_id", [["other"] * len(table)])
    pq.write_table(table, path)
    sizes = {**manifest.parts[0].bytes, "captions": path.stat().st_size}
    part = manifest.parts[0].model_copy(update={"sha256": {}, "bytes": sizes})
    load_manifest(tmp_path / "set").model_copy(update={"parts": (part,)}).save(tmp_path / "set")
    with pytest.raises(SetError, match="rows of report other, which is not in its place"):
        write_fhir(tmp_path / "set", tmp_path / "out.ndjson", Progress())


def test_the_command_says_what_it_wrote(example_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "captions.ndjson"
    done = CliRunner().invoke(ovct.app, ["export", "fhir", str(example_set), "--out", str(out)])
    assert done.exit_code == 0 and "43 DiagnosticReport" in done.output
    again = CliRunner().invoke(ovct.app, ["export", "fhir", str(example_set), "--out", str(out)])
    assert again.exit_code == 2 and "is there already" in again.output
    refused = CliRunner().invoke(ovct.app, ["export", "fhir", "hf://datasets/a/b", "--out", str(out), "--overwrite"])
    assert refused.exit_code == 2 and "copy the set to this machine" in refused.output
