"""`ovct curate` on a folder of documents: captions of each, what was left out, and resuming."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import ovct
from tests.curation.readers.documents.samples import CDA, structured_report, text_item, word_document


def run(*arguments: str) -> Result:
    return CliRunner().invoke(ovct.app, ["curate", *arguments, "--workers", "1"])


def test_a_folder_beside_its_caption_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.rtf").write_text(r"{\rtf1 FINDINGS: The spleen is {\deleted not }{\b enlarged}.}")
    (tmp_path / "b.html").write_text("<html><body><p>The liver is enlarged.</p></body></html>")
    (tmp_path / "c.docx").write_bytes(word_document("<w:p><w:r><w:t>No ascites.</w:t></w:r></w:p>"))
    (tmp_path / "d.xml").write_text(CDA)
    (tmp_path / "e").write_bytes(structured_report(text_item("Finding", "The pancreas is normal.")))
    (tmp_path / "f.txt").write_bytes(b"%PDF-1.7")
    (tmp_path / "g.html").write_text("<html><body>The liver is")
    first = run(".", "--quiet")
    assert first.exit_code == 0, first.output
    assert "left out 1 file: f.txt (PDF" in first.output and "g.html: HTML cut off at line 1" in first.output
    reports = {row["report_id"]: row["text"] for row in pq.read_table("captions/reports").to_pylist()}
    assert list(reports) == ["a", "b", "c", "R-17", "ACC-7"]
    captions = pq.read_table("captions/captions").to_pylist()
    assert {"spleen", "liver", "peritoneum", "pancreas"} <= {caption["organ"] for caption in captions}
    for caption in captions:
        start, end = caption["evidence_start"], caption["evidence_end"]
        assert reports[caption["report_id"]][start:end] == caption["evidence"]
    skipped = [json.loads(line) for line in Path("captions/skipped.jsonl").read_text().splitlines()]
    assert [Path(problem["file"]).name for problem in skipped] == ["", "g.html"]
    assert "nothing to do" in run(".").output
    (tmp_path / "e").write_bytes(structured_report(text_item("Finding", "The pancreas is atrophic.")))
    changed = run(".")
    assert changed.exit_code == 2 and "the input has changed" in changed.output
