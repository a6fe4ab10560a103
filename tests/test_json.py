"""`--json`: one object on stdout and nothing else there, by a schema that is stated in docs/schemas.

``python -m tests.test_json`` writes the schemas anew.
"""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

import ovct
from curation.audit.sample import SampleRequest
from curation.runtime.digests import unsealed
from tests.curation.audit.builders import give_verdicts, open_audit
from tests.json_schemas import FOLDER, RECORDS, checked, schema_text


def call(*arguments: object) -> Result:
    return CliRunner().invoke(ovct.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    out = tmp_path_factory.mktemp("json") / "captions"
    assert call("curate", examples / "reports.csv", "--out", out, "--quiet").exit_code == 0
    return out


@pytest.mark.parametrize("name", RECORDS)
def test_the_schemas_are_those_of_the_records(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text == schema_text(name), "python -m tests.test_json writes the schemas anew"
    Draft202012Validator.check_schema(json.loads(text))
    assert {path.stem for path in FOLDER.glob("*.json")} == RECORDS.keys()


def test_curate(examples: Path, tmp_path: Path) -> None:
    arguments = ("curate", examples / "reports.csv", "--out", tmp_path / "set", "--limit", 4, "--json")
    figures = checked("curate", call(*arguments).stdout)
    assert (figures["reports"], figures["complete"], figures["already_done"]) == (4, True, False)
    assert figures["input"] == {
        "name": "reports.csv", "format": "CSV", "encoding": "utf-8", "id_column": "report_id",
        "text_columns": ["findings", "impression"], "languages": {"en": 4},
    }  # fmt: skip
    rows = pq.read_table(tmp_path / "set" / "captions").num_rows
    assert figures["captions"] == rows == sum(sum(by.values()) for by in figures["captions_by_organ"].values())
    again = call(*arguments)
    assert checked("curate", again.stdout)["already_done"] and "nothing to do" in again.stderr


def test_merge(examples: Path, tmp_path: Path) -> None:
    shards = [tmp_path / f"shard-{number}" for number in (1, 2)]
    for number, shard in enumerate(shards, 1):
        arguments = ("--out", shard, "--shard", f"{number}/2", "--reports-per-part", 5, "--quiet")
        done = call("curate", examples / "reports.csv", *arguments)
        assert done.exit_code == 0 and done.stdout == ""
    figures = checked("curate", call("merge", *shards, "--out", tmp_path / "set", "--json").stdout)
    assert figures["reports"] == 43 and figures["input"] is None


def test_stats(captions: Path, tmp_path: Path) -> None:
    figures = checked("stats", call("stats", captions, "--plot", tmp_path / "plot.png", "--json").stdout)
    assert figures["reports"] == 43 and figures["engine"] == "rules"
    assert call("stats", captions, "--plot", tmp_path / "plot.png", "--quiet").stdout == ""


def test_verify(examples: Path, captions: Path, tmp_path: Path) -> None:
    claims = pq.read_table(captions / "captions").select(["report_id", "organ", "caption"]).slice(0, 5)
    pq.write_table(claims, tmp_path / "claims.parquet")
    with (tmp_path / "more.csv").open("w", encoding="utf-8") as file:
        file.write("report_id,organ,caption\n")
        file.write("angio-01,liver,A metastasis of 9 cm\n")
        file.write("nobody,liver,The liver is normal\n")
    arguments = ("--out", tmp_path / "out.parquet", "--json")
    good = checked("verify", call("verify", examples / "reports.csv", tmp_path / "claims.parquet", *arguments).stdout)
    assert (good["captions"], good["accepted"], good["first_refusals"]) == (5, 5, [])
    bad = checked("verify", call("verify", examples / "reports.csv", tmp_path / "more.csv", *arguments).stdout)
    assert bad["refused"] == 2 and bad["refused_by_reason"]["schema"] == 1
    first, second = bad["first_refusals"]
    assert first["caption"] == "A metastasis of 9 cm" and first["detail"]
    assert second["report_id"] == "nobody" and second["nearest"] is None


def test_the_summary_of_an_audit(captions: Path) -> None:
    with open_audit(captions, sample=SampleRequest(3)) as store:
        give_verdicts(store, "ann", ["supported"] * 3)
    figures = checked("audit-summary", call("audit", captions, "--summary", "--json").stdout)
    written = json.loads(unsealed((captions / "audit" / "summary.json").read_bytes())[0])
    assert figures == written
    refused = call("audit", captions, "--json")
    assert refused.exit_code == 2 and "--json: only with --summary" in refused.stderr


def test_an_error_leaves_stdout_empty(tmp_path: Path) -> None:
    for arguments in (
        ["curate", "none.csv"],
        ["stats", str(tmp_path)],
        ["verify", "a.csv", "b.csv", "--out", "c.parquet"],
    ):
        done = call(*arguments, "--json")
        assert done.exit_code == 2 and done.stdout == "" and done.stderr.startswith("ovct: ")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name in RECORDS:
        (FOLDER / f"{name}.json").write_text(schema_text(name), encoding="utf-8")
        print(FOLDER / f"{name}.json")
