"""Prompt files: what is read from one, what a model is shown, and each way in which a file can be wrong."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from prompts.prompt_file import PromptError, load_prompt, read_prompt, shipped_prompts
from tests.prompts.prompt_cases import (
    CAPTION,
    REPORT,
    captions_content,
    changed_content,
    content,
    fits,
    problem,
    prompt,
)

REFUSED = [
    {
        "number": 1,
        "organ": "liver",
        "caption": "A 5 mm cyst.",
        "reason": "not 5 mm",
        "passage": "A 6 mm cyst.",
        "about": ["liver"],
        "missing": ["5 mm"],
        "other_words": ["6 mm"],
        "other_passages": [],
    }
]


# What a model is shown.


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
    file = captions_content(examples=[{"report": "Zyste", "captions": [row]}, {"report": "Nothing.", "captions": []}])
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
    for part in (
        "1. liver: A 5 mm cyst.",
        "refused: not 5 mm",
        "passage: A 6 mm cyst.",
        "not have: “5 mm”",
        '{"captions":[',
    ):
        assert part in question[1]
    with_repair = prompt(content(repair="{% for row in refused %}{{ row.caption }} -> {{ row.passage }}{% endfor %}"))
    assert with_repair.repair_messages(REFUSED)[0] == ("user", "A 5 mm cyst. -> A 6 mm cyst.")


def test_examples_are_not_needed() -> None:
    assert prompt(content(examples=[])).messages("x") == (("system", "Read."), ("user", "Report:\nx"))


# Files.


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
    assert shipped_prompts() == (
        "organ_captions",
        "organ_captions_evidence",
        "organ_captions_quoted",
        "organ_captions_short",
        "organ_captions_statement",
    )
    loaded = [load_prompt(name) for name in shipped_prompts()]
    assert [shipped.name for shipped in loaded] == list(shipped_prompts())
    assert [shipped.file.unit for shipped in loaded] == ["report", "report", "report", "report", "statement"]
    assert [shipped.file.response.form for shipped in loaded] == ["organs", *["captions"] * 4]
    assert loaded[-1].file.window == 4
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


# What is wrong with a file.


def test_a_prompt_that_is_not_there(tmp_path: Path) -> None:
    for name in ("organ_caption", str(tmp_path)):
        with pytest.raises(PromptError, match=r"cannot be read .*organ_captions, organ_captions_evidence") as caught:
            load_prompt(name)
        assert f"“{name}”" in str(caught.value)


def test_the_vocabulary_is_no_prompt() -> None:
    with pytest.raises(PromptError, match="cannot be read"):
        load_prompt("organs")


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
    assert expected in problem(changed_content(path, value))


def test_organs_have_no_place_in_a_list_of_captions() -> None:
    assert "only goes with form: organs" in problem(changed_content("response.organs", ["liver"], captions_content()))


@pytest.mark.parametrize(("file", "most"), [(content(), 2), (captions_content(), 3)])
def test_an_example_keeps_to_the_limits(file: dict[str, Any], most: int) -> None:
    rows = [{"organ": "pleura", "caption": f"No effusion {n}."} for n in range(most)]
    assert prompt(changed_content("examples.0.captions", rows, file))
    too_many = changed_content("examples.0.captions", [*rows, {"organ": "pleura", "caption": "One more."}], file)
    assert f"examples 1: 'One more.' is one more than response, max_captions allows ({most})" in problem(too_many)


def test_max_captions_is_per_organ_where_organs_are_keys() -> None:
    rows = [{"organ": organ, "caption": f"Normal {n}."} for organ in ("lungs", "pleura") for n in range(2)]
    assert prompt(changed_content("examples.0.captions", rows))


def test_window_goes_with_statements() -> None:
    assert prompt(captions_content(unit="statement", window=2)).file.window == 2
    assert prompt(captions_content(unit="statement")).file.window == 4


def test_quotes_go_with_a_list_of_captions_and_stand_in_every_example() -> None:
    assert "only goes with form: captions" in problem(changed_content("response.quotes", True))
    assert "needs a quote" in problem(changed_content("response.quotes", True, captions_content()))
    assert "needs a quotes" in problem(changed_content("response.quotes", 2, captions_content()))
    for key, value in (("quote", "Pleural effusion"), ("quotes", ["Pleural effusion"])):
        assert "goes with response, quotes: true" in problem(
            changed_content(f"examples.0.captions.0.{key}", value, captions_content())
        )


@pytest.mark.parametrize(
    ("quotes", "key", "passages", "schema"),
    [
        (True, "quote", "Clear.", {"type": "string", "minLength": 1, "maxLength": 600}),
        (1, "quotes", ["Clear."], {"type": "array", "minItems": 1, "maxItems": 1}),
        (3, "quotes", ["Clear.", "Dry."], {"type": "array", "minItems": 1, "maxItems": 3}),
    ],
)
def test_a_caption_has_one_quote_or_a_list_of_some(
    quotes: bool | int, key: str, passages: object, schema: dict[str, object]
) -> None:
    rows = [{"organ": "lungs", key: passages, "caption": "Clear lungs."}]
    loaded = prompt(
        changed_content("examples.0.captions", rows, changed_content("response.quotes", quotes, captions_content()))
    )
    item = loaded.schema["properties"]["captions"]["items"]
    assert list(item["properties"]) == ["organ", key, "caption"]
    assert item["properties"][key].items() >= schema.items()
    shown = json.loads(loaded.messages("x")[2][1])
    assert shown["captions"] == [{"organ": "lungs", key: passages, "caption": "Clear lungs."}]


def test_no_more_quotes_than_answers_may_have() -> None:
    rows = [{"organ": "lungs", "quotes": ["a", "b", "c"], "caption": "Clear lungs."}]
    content_with = changed_content(
        "examples.0.captions", rows, changed_content("response.quotes", 2, captions_content())
    )
    assert "has more than response, quotes allows (2)" in problem(content_with)
    for quotes in (0, 4, "three"):
        assert "quotes" in problem(changed_content("response.quotes", quotes, captions_content()))
