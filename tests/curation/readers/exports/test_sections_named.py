"""Parts of a report under their headings as one text."""

from __future__ import annotations

from curation.readers.exports.sections_named import with_headings


def test_a_heading_stands_once_and_text_behind_it_is_set_apart() -> None:
    parts = [("", "CT chest."), ("FINDINGS", "Clear."), ("FINDINGS", "No mass."), ("", "Seen twice."), ("", "By two.")]
    text = "CT chest.\n\nFINDINGS:\nClear.\n\nNo mass.\n\nREPORT:\nSeen twice.\n\nBy two."
    assert with_headings(parts) == text


def test_a_part_that_begins_with_a_heading_gets_no_other() -> None:
    assert with_headings([("FINDINGS", " HISTORY: Pain.\nFINDINGS: Clear.")]) == "HISTORY: Pain.\nFINDINGS: Clear."
    assert with_headings([("IMPRESSION", "Clear.\nFINDINGS: None.")]) == "IMPRESSION:\nClear.\nFINDINGS: None."
    assert with_headings([]) == with_headings([("", " ")]) == ""
