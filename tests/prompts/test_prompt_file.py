"""Prompt files: what is read from one, what a model is shown, and each way in which a file can be wrong."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from prompts.prompt_file import Prompt, PromptError, load_prompt, read_prompt, shipped_prompts

REPORT = "Pleural effusion was not observed."
REFUSED = [{"number": 1, "organ": "liver", "caption": "A 5 mm cyst.", "reason": "not 5 mm", "passage": "A 6 mm cyst."}]


def content(**changes: Any) -> dict[str, Any]:
    """A prompt file of the form ``organs``."""
    return {
        "description": "For tests",
        "unit": "report",
        "system": "Read.",
        "message": "Report:\n{{ text }}\n",
        "examples": [{"report": f"{REPORT}\n", "captions": [{"organ": "pleura", "caption": REPORT}]}],
        "response": {
            "form": "organs",
            "organs": ["lungs", "pleura"],
            "max_captions": 2,
            "max_characters": 80,
            "max_tokens": 100,
        },
    } | changes


def listed(**changes: Any) -> dict[str, Any]:
    """A prompt file of the form ``captions``."""
    response = {"form": "captions", "max_captions": 3, "max_characters": 80, "max_tokens": 100}
    return content(response=response) | changes


def prompt(file: dict[str, Any]) -> Prompt:
    return read_prompt(yaml.safe_dump(file).encode(), "p.yaml")


def problem(source: dict[str, Any] | str | bytes) -> str:
    raw = yaml.safe_dump(source) if isinstance(source, dict) else source
    with pytest.raises(PromptError) as caught:
        read_prompt(raw.encode() if isinstance(raw, str) else raw, "p.yaml")
    return str(caught.value)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value has the shape of a JSON schema, as far as ours go."""
    if "anyOf" in schema:
        return any(fits(value, one) for one in schema["anyOf"])
    match schema["type"]:
        case "null":
            return value is None
        case "string":
            return isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]
        case "array":
            within = isinstance(value, list) and schema["minItems"] <= len(value) <= schema["maxItems"]
            return within and all(fits(item, schema["items"]) for item in value)
    assert schema["type"] == "object" and schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"])
    if not isinstance(value, dict) or list(value) != schema["required"]:
        return False
    return all(fits(value[key], schema["properties"][key]) for key in value)


# -- what a model is shown -----------------------------------------------------------------------------------------


def test_what_does_not_change_comes_first_and_the_report_last() -> None:
    loaded = prompt(content())
    assert loaded.messages("The liver is normal.") == (
        ("system", "Read."),
        ("user", f"Report:\n{REPORT}"),
        ("assistant", f'{{"lungs":null,"pleura":["{REPORT}"]}}'),
        ("user", "Report:\nThe liver is normal."),
    )
    assert loaded.messages("Another one.")[:-1] == loaded.messages("The liver is normal.")[:-1]


def test_the_form_captions_is_shown_as_a_list() -> None:
    row = {"organ": "left kidney", "caption": "Zyste \u2264 5 mm"}
    file = listed(examples=[{"report": "Zyste", "captions": [row]}, {"report": "Nothing.", "captions": []}])
    answers = [text for role, text in prompt(file).messages("x") if role == "assistant"]
    assert answers == ['{"captions":[{"organ":"left kidney","caption":"Zyste \u2264 5 mm"}]}', '{"captions":[]}']


def test_section_and_organs_are_for_templates_to_use() -> None:
    message = "{{ organs | join('+') }} [{{ section }}] {{ text }}"
    loaded = prompt(content(unit="section", message=message, system="All of: {{ organs | join(', ') }}."))
    turns = loaded.messages("Mass.", "impression")
    assert [text for role, text in turns if role != "assistant"] == [
        "All of: lungs, pleura.",
        f"lungs+pleura [findings] {REPORT}",
        "lungs+pleura [impression] Mass.",
    ]


@pytest.mark.parametrize("text", ["{{ 7 * 7 }} {% if %} {# gone #}", "<b>&amp;</b>", "last line\n", "{{"])
def test_a_report_is_no_template(text: str) -> None:
    assert prompt(content(message="{{ text }}")).messages(text)[-1] == ("user", text)


def test_refused_captions_go_back_without_the_examples() -> None:
    (question,) = prompt(content()).repair_messages(REFUSED)
    assert question[0] == "user"
    for part in ("1. liver: A 5 mm cyst.", "refused: not 5 mm", "passage: A 6 mm cyst.", '{"captions":['):
        assert part in question[1]
    own = prompt(content(repair="{% for row in refused %}{{ row.caption }} -> {{ row.passage }}{% endfor %}"))
    assert own.repair_messages(REFUSED)[0] == ("user", "A 5 mm cyst. -> A 6 mm cyst.")


def test_examples_are_not_needed() -> None:
    assert prompt(content(examples=[])).messages("x") == (("system", "Read."), ("user", "Report:\nx"))


# -- the form of an answer -----------------------------------------------------------------------------------------


def test_every_organ_has_to_be_answered_for() -> None:
    loaded = prompt(content())
    schema = loaded.schema
    assert schema is loaded.schema
    assert fits({"lungs": None, "pleura": [REPORT]}, schema)
    assert fits({"lungs": ["a", "b"], "pleura": None}, schema)
    wrong: list[dict[str, Any]] = [
        {"lungs": None},
        {"lungs": None, "pleura": None, "heart": None},
        {"lungs": "a", "pleura": None},
        {"lungs": [], "pleura": None},
        {"lungs": [""], "pleura": None},
        {"lungs": ["a", "b", "c"], "pleura": None},
        {"lungs": ["a" * 81], "pleura": None},
    ]
    for answer in wrong:
        assert not fits(answer, schema), answer


@pytest.mark.parametrize("name", ["schema", "repair_schema"])
def test_a_list_of_captions_may_be_empty(name: str) -> None:
    loaded = prompt(listed())
    schema = getattr(loaded, name)
    assert schema is getattr(loaded, name)
    row = {"organ": "liver", "caption": "Cyst."}
    assert fits({"captions": []}, schema) and fits({"captions": [row, row, row]}, schema)
    assert not fits([row], schema)
    assert not fits({"captions": [{**row, "status": "normal"}]}, schema)
    assert not fits({"captions": [{"organ": "liver"}]}, schema)
    assert not fits({"captions": [row] * 25}, schema)
    assert not fits({"captions": [{**row, "caption": "a" * 81}]}, schema)


def test_repairs_come_as_a_list_whatever_the_form() -> None:
    assert prompt(content()).repair_schema == prompt(listed()).repair_schema != prompt(listed()).schema


# -- files ---------------------------------------------------------------------------------------------------------


def test_the_hash_is_that_of_the_file_as_it_is(tmp_path: Path) -> None:
    source = yaml.safe_dump(content()).encode() + b"# a comment\r\n"
    path = tmp_path / "mine.yaml"
    path.write_bytes(source)
    loaded = load_prompt(str(path))
    assert (loaded.name, loaded.source) == (str(path), source)
    assert loaded.hash == hashlib.sha256(source).hexdigest()
    again = read_prompt(source, "kept")
    assert again.hash == loaded.hash and again.messages("x") == loaded.messages("x")


def test_a_prompt_travels_to_another_process() -> None:
    loaded = prompt(content())
    before = (loaded.messages("x"), loaded.schema)
    copied = pickle.loads(pickle.dumps(loaded))
    assert copied == loaded and (copied.messages("x"), copied.schema) == before


def test_the_shipped_prompts_are_found_by_name() -> None:
    assert shipped_prompts() == ("organ_captions", "organ_captions_short", "organ_captions_statement")
    loaded = [load_prompt(name) for name in shipped_prompts()]
    assert [one.name for one in loaded] == list(shipped_prompts())
    assert [one.file.unit for one in loaded] == ["report", "report", "statement"]
    assert [one.file.response.form for one in loaded] == ["organs", "captions", "captions"]
    assert loaded[2].file.window == 4
    assert len(loaded[0].file.response.organs) >= 30


@pytest.mark.parametrize("name", shipped_prompts())
def test_shipped_examples_have_the_form_that_is_asked_for(name: str) -> None:
    loaded = load_prompt(name)
    answers = [json.loads(text) for role, text in loaded.messages("x") if role == "assistant"]
    assert 3 <= len(answers) <= 5
    assert all(fits(answer, loaded.schema) for answer in answers)


@pytest.mark.parametrize("name", shipped_prompts())
def test_shipped_prompts_leave_room_in_a_small_context(name: str) -> None:
    """1,500 tokens at three characters each, which is on the safe side."""
    assert sum(len(text) for _, text in load_prompt(name).messages("")) < 5_300


# -- what is wrong with a file -------------------------------------------------------------------------------------


def test_a_prompt_that_is_not_there(tmp_path: Path) -> None:
    for name in ("organ_caption", str(tmp_path)):
        with pytest.raises(PromptError, match=r"cannot be read .*organ_captions, organ_captions_short") as caught:
            load_prompt(name)
        assert f"“{name}”" in str(caught.value)


def test_the_vocabulary_is_no_prompt() -> None:
    with pytest.raises(PromptError, match="cannot be read"):
        load_prompt("organs")


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


def changed(path: str, value: Any, file: dict[str, Any] | None = None) -> dict[str, Any]:
    """A file with one value set, or taken out (...), at a path such as ``examples.0.report``."""
    result = copy.deepcopy(file or content())
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = result
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return result


CAPTION = "examples.0.captions.0"


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
    assert problem(changed(path, value)).startswith(f"p.yaml: {expected}")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("message", "Report: {{ text", "message: 'Report: {{ text' is not Jinja"),
        ("message", "a\n{% iff text %}", "message: '{% iff text %}' is not Jinja"),
        ("message", "{{ text | shout }}", "is not Jinja (No filter named 'shout'.)"),
        ("message", "{{ txt }}", "message: 'txt' is not among its variables, which are text, section, organs"),
        ("message", "{% if section %}{{ titel }}{% endif %}{{ text }}", "message: 'titel' is not among its variables"),
        ("message", "{{ text }}{{ text.nothing }}", "fails when it is filled in"),
        ("message", "{{ text + 1 }}", "fails when it is filled in (TypeError: "),
        ("message", "{{ text.__class__.__mro__ }}", "fails when it is filled in"),
        ("message", "{% include '/etc/passwd' %}{{ text }}", "fails when it is filled in"),
        ("message", "Report.", "message: 'Report.' leaves the text out; write {{ text }} where it belongs"),
        ("message", "{% if not text %}{{ text }}{% endif %}", "leaves the text out"),
        ("system", "{{ text }}", "system: 'text' is not among its variables, which are organs"),
        ("repair", "Try again.", "repair: 'Try again.' leaves the captions out; loop over refused"),
        ("repair", "{% for row in refused %}{{ row.capton }}{% endfor %}", "repair: "),
        ("repair", "{{ rows }}", "repair: 'rows' is not among its variables, which are refused"),
    ],
)
def test_templates(path: str, value: str, expected: str) -> None:
    assert expected in problem(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("response.organs", ..., "response, organs: () form: organs needs the list of organs"),
        (
            "response.organs",
            ["pleura", "spleeen"],
            "response, organs: 'spleeen' is not in the vocabulary; did you mean",
        ),
        ("response.organs", ["pleura", "qqqq"], "its names stand in prompts/organs.yaml"),
        ("response.organs", ["pleura", "kidneys", "renal"], "'renal' is the same organ as “kidneys”; leave one out"),
        (
            f"{CAPTION}.organ",
            "heart",
            "examples 1, captions 1, organ: 'heart' is not in response, organs: lungs, pleura",
        ),
        ("response.max_characters", 20, f"{REPORT!r} has 34 characters, and 20 are the most"),
    ],
)
def test_organs_and_examples(path: str, value: Any, expected: str) -> None:
    assert expected in problem(changed(path, value))


def test_organs_have_no_place_in_a_list_of_captions() -> None:
    assert "only goes with form: organs" in problem(changed("response.organs", ["liver"], listed()))


@pytest.mark.parametrize(("file", "most"), [(content(), 2), (listed(), 3)])
def test_an_example_keeps_to_the_limits(file: dict[str, Any], most: int) -> None:
    rows = [{"organ": "pleura", "caption": f"No effusion {n}."} for n in range(most)]
    assert prompt(changed("examples.0.captions", rows, file))
    too_many = changed("examples.0.captions", [*rows, {"organ": "pleura", "caption": "One more."}], file)
    assert f"examples 1: 'One more.' is one more than response, max_captions allows ({most})" in problem(too_many)


def test_max_captions_is_per_organ_where_organs_are_keys() -> None:
    rows = [{"organ": organ, "caption": f"Normal {n}."} for organ in ("lungs", "pleura") for n in range(2)]
    assert prompt(changed("examples.0.captions", rows))


def test_window_goes_with_statements() -> None:
    assert prompt(listed(unit="statement", window=2)).file.window == 2
    assert prompt(listed(unit="statement")).file.window == 4
