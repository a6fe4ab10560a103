"""Files that are not read: each way in which YAML, keys and values can be wrong, and what the message says."""

from __future__ import annotations

from typing import Any

import pytest

from prompts.yaml_file import FieldError, line_of, load_mapping
from tests.prompts.prompt_cases import CAPTION, changed_content, problem


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a: [", "p.yaml: file: 'a: [' is not YAML", id="not YAML"),
        pytest.param(b"a: \xff\xfe", "is not YAML", id="not UTF-8"),
        pytest.param("a: 2026-13-45", "is not YAML", id="not a date"),
        pytest.param("", "file: None is not a set of keys and values", id="empty"),
        pytest.param("- a", "file: ['a'] is not a set of keys and values", id="a list"),
        pytest.param("!!python/object/apply:os.getcwd []", "is not YAML (could not determine", id="code"),
        pytest.param("[" * 5_000, "is not YAML", id="very deep"),
        pytest.param("unit: report\nunit: section", "unit: 'line 2' is a second value", id="key twice"),
        pytest.param("examples:\n- {report: a, report: b}", "report: 'line 2' is a second value", id="key twice below"),
    ],
)
def test_files_that_are_not_read(source: str | bytes, expected: str) -> None:
    assert expected in problem(source)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("sytem", "Read.", "file: 'sytem' is not a key here; did you mean “system”?"),
        ("temperature", 0, "file: 'temperature' is not a key here; keys are description, unit, window"),
        ("response.max_token", 5, "response: 'max_token' is not a key here; did you mean “max_tokens”?"),
        ("examples.0.label", "a", "examples 1: 'label' is not a key here"),
        ("system", ..., "file: 'system' is missing"),
        ("response.max_tokens", ..., "response: 'max_tokens' is missing"),
        (f"{CAPTION}.organ", ..., "examples 1, captions 1: 'organ' is missing"),
        ("description", 5, "description: 5 is not text; put it in quotes"),
        (f"{CAPTION}.caption", False, "examples 1, captions 1, caption: False is not text"),
        ("examples.0.report", " ", "examples 1, report: ' ' is empty"),
        ("unit", "page", "unit: 'page' should be 'report', 'section' or 'statement'"),
        ("response.form", "list", "response, form: 'list' should be 'organs' or 'captions'"),
        ("response.max_captions", 0, "response, max_captions: 0 should be greater than or equal to 1"),
        ("response.max_tokens", "100", "response, max_tokens: '100' should be a valid integer"),
        ("response.max_tokens", True, "response, max_tokens: True should be a valid integer"),
        ("examples", "none", "examples: 'none' is not a list"),
        ("examples.0", "a", "examples 1: 'a' is not a set of keys and values"),
        ("window", 2, "window: 2 only goes with unit: statement"),
    ],
)
def test_keys_and_values(path: str, value: Any, expected: str) -> None:
    assert problem(changed_content(path, value)).startswith(f"p.yaml: {expected}")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (["a"], 1),
        (["a", "b"], 2),
        (["a", "b", 1], 3),
        (["a", "b", 7], 2),
        (["a", "none", 1], 1),
        (["c", 0, "d"], 5),
        (["none"], None),
        ([], None),
    ],
)
def test_the_line_of_a_value_or_of_what_holds_it(place: list[str | int], line: int | None) -> None:
    assert line_of(b"a:\n  b: [x,\n    y]\nc:\n - {d: 1}\n", place) == line


def test_what_is_no_yaml_has_no_lines() -> None:
    assert line_of(b"a: [", ["a"]) is None
    assert line_of(b"\xff\xfe\x00", ["a"]) is None


@pytest.mark.parametrize(
    "source",
    [
        b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 10)) for n in range(8)
        ),
        b"a: &a [*a]\n",
        b"a: &a\n  b: *a\n",
    ],
)  # fmt: skip
def test_aliases_that_write_out_to_too_much_are_refused(source: bytes) -> None:
    with pytest.raises(FieldError, match=r"aliases|is not YAML"):
        load_mapping(source)


def test_aliases_are_allowed() -> None:
    assert load_mapping(b"a: &a [x, y]\nb: *a\n") == {"a": ["x", "y"], "b": ["x", "y"]}
