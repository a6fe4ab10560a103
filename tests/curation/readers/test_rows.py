"""Values of cells as text."""

from __future__ import annotations

from curation.readers.rows import as_text, clean, flatten


def test_cells_as_text() -> None:
    cells: list[object] = [None, float("nan"), 7.0, 7.5, True, b"\xc3\xa9", ["a", "b"], [1], [], {}]
    assert [as_text(cell) for cell in cells] == ["", "", "7", "7.5", "true", "é", "a\nb", "[1]", "", ""]
    assert clean("a\0b\ud800é") == "a b\ufffdé" and clean("é") == "é"
    assert flatten({"a": {"b": {"c": 1}, "d": None}, "e": {}}) == {"a.b.c": "1", "a.d": "", "e": ""}
