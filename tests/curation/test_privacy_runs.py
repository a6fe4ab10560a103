"""`--check-phi` and `--drop-phi` over whole runs: what is counted, what is written, and what stays the same."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import ovct
from curation.caption_set.manifest import Manifest, load_manifest
from curation.caption_set.merging import merge
from curation.caption_set.privacy_check import privacy_lines, privacy_warning, with_privacy
from curation.caption_set.records.privacy_counts import PrivacyCounts
from curation.caption_set.sharding import Shard
from curation.cleaning.redaction_marks import IDENTITY_MARK
from curation.extraction.text_engine import rules_recipe
from curation.pipeline import CurateJob, curate
from curation.replay import replay
from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from tests.curation.fakes import FakeChat, answer, chat_recipe

SECRETS = ("Okonkwo", "02/14/2019", "4471129", "555-234-5678", "Lowell", "20190304", "Ada")
REPORTS = [
    ("r1", "The liver is normal. Cyst in the right kidney, unchanged since 02/14/2019.", "Okonkwo^Ada", "20190304"),
    ("r2", "FINDINGS: The spleen is enlarged. No pleural effusion.\nSigned by: Ann Lowell", "Okonkwo^Ada", "2019"),
    ("r3", "Name: Ada Okonkwo MRN: 4471129\nFINDINGS: Fracture of the left 5th rib. Call 555-234-5678.", "", ""),
    ("r4", "FINDINGS: The pancreas is normal.", "", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("privacy") / "reports.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "report", "PatientName", "StudyDate"])
        writer.writerows([*REPORTS, ("r5", "", "", "")])
    return path


def made(reports: Path, out: Path, **options: object) -> Manifest:
    return curate(CurateJob(reports, out, workers=1, **options), rules_recipe()).manifest  # type: ignore[arg-type]


def rows(root: Path, table: str) -> list[dict[str, Any]]:
    return list(pq.read_table(root / table).to_pylist())


def places(manifest: Manifest) -> dict[str, dict[str, int]]:
    assert manifest.privacy is not None
    return manifest.privacy.places


def test_a_check_counts_by_place_and_changes_no_row(reports: Path, tmp_path: Path) -> None:
    plain = made(reports, tmp_path / "plain")
    checked = made(reports, tmp_path / "checked", check_phi=True)
    assert plain.privacy is None and privacy_lines(plain) == [] and privacy_warning(plain) is None
    assert checked.privacy is not None and checked.privacy.reports == 4 and checked.privacy.captions == 1
    assert places(checked)["reports.text"] == {"date": 1, "name": 2, "phone": 1, "record_number": 1}
    assert places(checked)["reports.PatientName"] == {"name": 2}
    assert places(checked)["reports.StudyDate"] == {"date": 1}
    assert places(checked)["captions.evidence"] == {"date": 1}
    for table in ("captions", "rejects", "reports"):
        assert rows(tmp_path / "plain", table) == rows(tmp_path / "checked", table)
    assert plain.identity() == checked.identity()
    assert privacy_lines(checked)[0].startswith("1 of ") and "--drop-phi" in str(privacy_warning(checked))


def test_dropped_is_dropped_in_every_table(reports: Path, tmp_path: Path) -> None:
    manifest = made(reports, tmp_path, drop_phi=True)
    written = "".join(
        json.dumps(rows(tmp_path, table), ensure_ascii=False) for table in ("captions", "rejects", "reports")
    ) + "".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*") if path.suffix in (".md", ".jsonl"))
    assert [secret for secret in SECRETS if secret in written] == []
    assert [(row["report_id"], row["organ"], row["reason"]) for row in rows(tmp_path, "rejects")] == [
        ("r1", "right kidney", "phi")
    ]
    texts = {row["report_id"]: str(row["text"]) for row in rows(tmp_path, "reports")}
    assert {name: len(text) for name, text in texts.items()} == {name: len(text) for name, text, *_ in REPORTS}
    for row in rows(tmp_path, "captions"):
        evidence = texts[row["report_id"]][row["evidence_start"] : row["evidence_end"]]
        assert evidence == row["evidence"] and IDENTITY_MARK not in evidence
    assert {row["organ"] for row in rows(tmp_path, "captions")} >= {"liver", "spleen", "pleura", "pancreas"}
    assert manifest.privacy is not None and manifest.privacy.captions == 0
    assert {kind for kinds in places(manifest).values() for kind in kinds} == {"blanked"}
    assert privacy_warning(manifest) is None
    assert "no de-identification" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_what_another_sentence_says_without_a_date_is_kept(tmp_path: Path) -> None:
    text = (
        "FINDINGS: Cyst in the right kidney, unchanged since 02/14/2019.\\nIMPRESSION: Stable cyst in the right kidney."
    )
    (tmp_path / "r.jsonl").write_text(f'{{"id": "1", "report": "{text}"}}\n', encoding="utf-8")
    made(tmp_path / "r.jsonl", tmp_path / "set", drop_phi=True)
    assert [row["section"] for row in rows(tmp_path / "set", "captions")] == ["impression"]
    assert [row["reason"] for row in rows(tmp_path / "set", "rejects")] == ["phi"]


def test_ids_stay_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id,report\n44711290,The liver is normal.\n", encoding="utf-8")
    manifest = made(tmp_path / "r.csv", tmp_path / "set", drop_phi=True)
    assert rows(tmp_path / "set", "captions")[0]["report_id"] == "44711290"
    assert "reports.report_id: a record number in 1" in str(privacy_warning(manifest))
    assert "ids are kept" in str(privacy_warning(manifest))


class _StopAfter(Progress):
    def __init__(self, reports: int) -> None:
        self.left = reports

    def advance(self, reports: int = 1) -> None:
        self.left -= reports

    def raise_if_interrupted(self) -> None:
        if self.left <= 0:
            raise Interrupted


def test_a_run_that_goes_on_counts_the_parts_before_it_as_well(reports: Path, tmp_path: Path) -> None:
    whole = made(reports, tmp_path / "whole", check_phi=True, reports_per_part=1)
    job = CurateJob(reports, tmp_path / "set", workers=1, reports_per_part=1)
    with pytest.raises(Interrupted):
        curate(job, rules_recipe(), _StopAfter(2))
    assert len(load_manifest(tmp_path / "set").parts) in (2, 3)
    assert made(reports, tmp_path / "set", reports_per_part=1, check_phi=True).privacy == whole.privacy


def test_a_finished_set_is_checked_as_it_is(reports: Path, tmp_path: Path) -> None:
    made(reports, tmp_path / "set")
    again = curate(CurateJob(reports, tmp_path / "set", workers=1, check_phi=True), rules_recipe())
    assert again.already_done and not again.relicensed
    assert load_manifest(tmp_path / "set").privacy == again.manifest.privacy
    assert again.manifest.privacy == with_privacy(tmp_path / "set", again.manifest).privacy
    assert again.manifest.privacy == made(reports, tmp_path / "new", check_phi=True).privacy
    with pytest.raises(ValueError, match="drop phi: False then, True now"):
        made(reports, tmp_path / "set", drop_phi=True)


@pytest.mark.parametrize("option", ["check_phi", "drop_phi"])
def test_shards_add_up(reports: Path, tmp_path: Path, option: str) -> None:
    whole = made(reports, tmp_path / "whole", reports_per_part=1, **{option: True})
    folders = [tmp_path / "1", tmp_path / "2"]
    for number, folder in enumerate(folders, 1):
        made(reports, folder, reports_per_part=1, shard=Shard(number, 2), **{option: True})
    assert merge(folders, tmp_path / "merged").privacy == whole.privacy
    assert rows(tmp_path / "merged", "rejects") == rows(tmp_path / "whole", "rejects")


def test_the_name_of_the_file_stays_and_counts_once(reports: Path, tmp_path: Path) -> None:
    named = tmp_path / "Dr. Lowell.csv"
    named.write_bytes(reports.read_bytes())
    folders = [tmp_path / "1", tmp_path / "2"]
    for number, folder in enumerate(folders, 1):
        made(named, folder, reports_per_part=1, shard=Shard(number, 2), drop_phi=True)
    merged = merge(folders, tmp_path / "merged")
    assert places(merged)["skipped.jsonl"] == {"name": 1}
    assert "skipped.jsonl: a name in 1" in str(privacy_warning(merged))


def test_a_set_without_them_is_another_set(reports: Path, tmp_path: Path) -> None:
    settings = made(reports, tmp_path).settings
    dropped = settings.model_copy(update={"drop_phi": True})
    assert dropped.digest() != settings.digest()


def test_a_model_is_asked_without_them_and_a_replay_gives_the_same(reports: Path, tmp_path: Path) -> None:
    def told(message: str) -> str:
        captions = [("right kidney", "Cyst in the right kidney, unchanged"), ("liver", "The liver is normal")]
        return answer([*captions, ("spleen", "told to Dr. Lowell")])

    chat = FakeChat(told)
    job = CurateJob(reports, tmp_path, workers=1, drop_phi=True)
    before = curate(job, chat_recipe(chat)).manifest
    assert [secret for secret in SECRETS if any(secret in str(one.messages) for one in chat.history)] == []
    tables = {table: rows(tmp_path, table) for table in ("captions", "rejects", "reports", "responses")}
    assert [secret for secret in SECRETS if secret in str(tables)] == []
    assert "phi" in before.counts.rejects and tables["captions"]
    after = replay(tmp_path)
    assert {table: rows(tmp_path, table) for table in tables} == tables
    assert after.privacy == before.privacy and isinstance(after.privacy, PrivacyCounts)


def test_the_commands_tell_it(reports: Path, tmp_path: Path) -> None:
    def call(*arguments: object) -> Result:
        return CliRunner().invoke(ovct.app, [str(argument) for argument in arguments])

    checked = call("curate", reports, "--out", tmp_path / "set", "--check-phi")
    assert checked.exit_code == 0
    assert "1 of 6 captions tell a name, a date or a number" in checked.stdout
    assert "reports.PatientName: a name in 2" in checked.stdout
    assert "--drop-phi leaves such captions out" in checked.stderr
    dropped = call("curate", reports, "--out", tmp_path / "drop", "--drop-phi", "--json")
    figures = json.loads(dropped.stdout)
    assert figures["privacy"]["captions"] == 0 and figures["refused_by_reason"] == {"phi": 1}
    plain = call("curate", reports, "--out", tmp_path / "plain", "--json")
    assert json.loads(plain.stdout)["privacy"] is None
    assert "privacy" not in call("stats", tmp_path / "plain").stdout
    assert json.loads(call("stats", tmp_path / "plain", "--json", "--check-phi").stdout)["privacy"]["captions"] == 1
    assert load_manifest(tmp_path / "plain").privacy is None


def test_the_api_tells_it(reports: Path, tmp_path: Path) -> None:
    curation = ovct.curate(reports, tmp_path / "set", check_phi=True)
    assert curation.figures.privacy == curation.manifest.privacy and curation.manifest.privacy is not None
    assert ovct.curate(reports, tmp_path / "drop", drop_phi=True).manifest.counts.rejects == {"phi": 1}
