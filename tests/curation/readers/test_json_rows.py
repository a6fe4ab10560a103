"""JSON in its kinds, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.readers import json_rows
from curation.readers.json_rows import read_json
from curation.readers.rows import DamagedError
from curation.runtime.errors import InputError

Problems = list[tuple[int | None, str]]


def read(text: str, name: str = "x.json", piece: int = 7) -> tuple[list[dict[str, str]], Problems]:
    problems: Problems = []

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        problems.append((row, problem))

    pieces = (line[at : at + piece] for line in text.splitlines(True) for at in range(0, len(line), piece))
    table = read_json(pieces, Path(name), note)
    rows = list(table.rows)
    assert set().union(*(row.cells for row in rows[:50])) <= set(table.columns)
    return [row.cells for row in rows], problems


def test_lines() -> None:
    rows, problems = read('{"id": 1, "text": "a"}\n\n[1]\n{"id": 2,\n{"id": 7.0, "text": null}\n', "x.jsonl.gz")
    assert rows == [{"id": "1", "text": "a"}, {"id": "7", "text": ""}]
    assert [row for row, _ in problems] == [2, 3]
    assert "expected a JSON object, got list: [1]" in problems[0][1] and "not JSON" in problems[1][1]


def test_lines_in_a_file_called_json_and_a_list_in_one_called_jsonl() -> None:
    assert read('{"id": "1", "text": "a"}\n{"id": "2", "text": "b"}\n', piece=99)[0][1] == {"id": "2", "text": "b"}
    assert read('[\n{"id": "1", "text": "a"}\n]\n', "x.jsonl")[0] == [{"id": "1", "text": "a"}]
    assert read('{\n"id": "1",\n"text": "a"}\n', "x.jsonl")[0] == [{"id": "1", "text": "a"}]


def test_list_of_records() -> None:
    records = [{"id": str(number), "report": "x" * number} for number in range(300)]
    for indent in (None, 2):
        assert read(json.dumps(records, indent=indent)) == (records, [])


def test_data_set_with_splits() -> None:
    case = {
        "image": "a.nii.gz",
        "labels": {"report": {"findings": {"chest": "Clear.", "abdomen": "Normal."}}, "qa": [1]},
    }
    document = {"name": "AMOS", "labels": {"0": "background"}, "training": [case], "validation": [case, 3], "n": 2}
    rows, problems = read(json.dumps(document))
    assert [row["split"] for row in rows] == ["training", "validation"]
    assert rows[0]["labels.report.findings.abdomen"] == "Normal." and rows[0]["labels.qa"] == "[1]"
    assert not problems


def test_map_from_id_to_report() -> None:
    document: dict[str, Any] = {f"p{number}": {"findings": "F", "impression": ["a", "b"]} for number in range(250)}
    rows, problems = read(json.dumps(document, indent=1))
    assert rows[249] == {"key": "p249", "findings": "F", "impression": "a\nb"} and len(rows) == 250
    assert not problems
    rows, problems = read('{"p1": "Normal liver.", "p2": 3}')
    assert rows == [{"key": "p1", "report": "Normal liver."}] and problems[0][0] == 2


def test_numbers_across_pieces_are_read_whole() -> None:
    for piece in range(1, 9):
        rows, problems = read('[{"id": 123456789}, 123456789, {"id": 7}] ', piece=piece)
        assert [row["id"] for row in rows] == ["123456789", "7"]
        assert problems == [(2, "expected a JSON object, got int: 123456789")]


def test_one_report() -> None:
    assert read('{"id": "p", "report": {"findings": "F"}}')[0] == [{"id": "p", "report.findings": "F"}]


def test_document_that_breaks_off() -> None:
    rows, problems = read('[{"id": "1", "report": "a"}, {"id": "2", "rep')
    assert len(rows) == 1 and problems[0][0] == 2 and "not JSON from here on" in problems[0][1]
    for text in ("hello", '{"a": ', "[", "[[[", '{"id" 3}', "{1: 2}"):
        with pytest.raises(InputError, match="not JSON"):
            read(text)
    with pytest.raises(InputError, match="holds no text"):
        read(" \n ")


def test_value_that_never_ends_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "LONGEST_VALUE", 1000)
    given_out = 0

    def endless() -> Iterator[str]:
        nonlocal given_out
        yield '[{"id": "1", "report": "a"}, "'
        while True:
            given_out += 10
            yield "x" * 10

    problems: Problems = []
    table = read_json(endless(), Path("x.json"), lambda row, problem, **_: problems.append((row, problem)))
    assert len(list(table.rows)) == 1 and problems[0][0] == 2 and given_out < 5000


def test_damage_under_way() -> None:
    def damaged(*pieces: str) -> Iterator[str]:
        yield from pieces
        raise DamagedError("cut off here")

    problems: Problems = []
    for first in ('{"id": "1", "report": "a"}\n', '[{"id": "1", "report": "a"},\n'):
        problems.clear()
        table = read_json(
            damaged(first, '{"id": "2",'), Path("x.jsonl"), lambda row, problem, **_: problems.append((row, problem))
        )
        assert [row.cells["id"] for row in table.rows] == ["1"]
        assert problems[0][0] == 2 and "cut off here" in problems[0][1]
    with pytest.raises(InputError, match="cut off here"):
        read_json(damaged(), Path("x.json"), lambda row, problem, **_: None)


scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
value = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@settings(deadline=None)
@given(value, st.sampled_from(["x.json", "x.jsonl"]), st.sampled_from([None, 1]), st.integers(0, 60))
def test_any_json_and_any_part_of_it_ends_in_rows_or_a_clear_error(
    document: object, name: str, indent: int | None, cut: int
) -> None:
    text = json.dumps(document, indent=indent)
    for part in (text, text[:cut], text[cut:]):
        try:
            read(part, name)
        except InputError:
            continue
