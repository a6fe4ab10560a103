"""Which statements of a set no caption covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.audit.omissions import statement_frame
from curation.audit.omissions.statement_frame import NO_ORGAN, StatementFrame, read_statement_frame
from curation.caption_set.manifest import Manifest
from curation.report import Report, Section
from curation.runtime.progress import Progress
from tests.curation.audit.builders import accepted_caption, write_set
from tests.curation.audit.omissions.omission_sets import ADVICE, MISSED, write_incomplete_set


def frame_of(root: Path, manifest: Manifest, seed: int = 0) -> StatementFrame:
    return read_statement_frame(root, manifest, seed, Progress())


def test_statements_without_a_caption_are_found_with_their_place(tmp_path: Path) -> None:
    frame = frame_of(tmp_path / "set", write_incomplete_set(tmp_path / "set"))
    assert (frame.reports, frame.statements, len(frame.uncovered)) == (20, 100, 60)  # without the heading
    first = frame.uncovered[:3]
    assert [(one.section, one.text) for one in first] == [
        ("findings", MISSED), ("impression", "Cyst of 2 mm."), ("impression", ADVICE),
    ]  # fmt: skip
    assert [(one.organ, one.system) for one in first] == [
        ("gallbladder", "digestive"),
        ("", NO_ORGAN),
        ("", NO_ORGAN),
    ]
    assert len({one.location for one in frame.uncovered}) == 60
    assert {one.location.part for one in frame.uncovered} == {0, 1}


def test_of_a_large_set_some_reports_are_read_by_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write_incomplete_set(tmp_path / "set")
    monkeypatch.setattr(statement_frame, "MOST_REPORTS", 7)
    frames = [frame_of(tmp_path / "set", manifest, seed) for seed in (0, 0, 1)]
    read = [{one.report_id for one in frame.uncovered} for frame in frames]
    assert [frame.reports for frame in frames] == [7, 7, 7] and [frame.statements for frame in frames] == [35] * 3
    assert len(read[0]) == 7 and read[0] == read[1] != read[2]


def test_a_statement_is_covered_by_words_and_not_by_the_space_around_them(tmp_path: Path) -> None:
    text = "The liver is normal. The spleen is enlarged. Kidneys: no stone, no cyst."
    first, last = text.index(" The spleen"), text.index("enlarged.")
    around = accepted_caption(text, "The liver is normal. ", "liver", "The liver is normal")
    passages = ((0, first + 1), (len(text) - 1, len(text)))
    caption = around._replace(spans=passages)
    report = Report("scan-1", text, (Section("findings", 0, len(text)),), {}, 1)
    manifest = write_set(tmp_path / "set", [(report, [caption], [])])
    texts = [one.text for one in frame_of(tmp_path / "set", manifest).uncovered]
    assert texts[0] == "The spleen is enlarged." and last > first and "".join(texts[1:]).startswith("Kidneys: no stone")


def test_headings_other_sections_and_other_languages_are_no_statements(tmp_path: Path) -> None:
    parts = {
        "history": "Pain in the upper abdomen.",
        "findings": "SPLEEN AND PANCREAS:\nThe spleen is enlarged. There is a cyst in the liver. No stones are seen.",
        "impression": "Die Leber ist vergroessert und zeigt mehrere Zysten in beiden Leberlappen.",
    }
    text, sections = "", []
    for name, content in parts.items():
        sections.append(Section(name, len(text), len(text) + len(content)))
        text += content + "\n\n"
    manifest = write_set(tmp_path / "set", [(Report("scan-1", text, tuple(sections), {}, 1), [], [])])
    frame = frame_of(tmp_path / "set", manifest)
    assert [one.text for one in frame.uncovered] == [
        "The spleen is enlarged.", "There is a cyst in the liver.", "No stones are seen.",
    ]  # fmt: skip
