"""The prompt of a judge: what a model is shown, the form of its answer, and each way in which a file can be wrong."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.caption_set.audit_results import Verdict
from curation.verification.verifier import Verifier
from prompts.judge_file import VERDICTS, JudgePrompt, load_judge, read_judge
from prompts.prompt_file import PromptError, load_prompt, shipped_prompts

REPORT = "The spleen is enlarged to 14 cm. The liver is normal."
EXAMPLE = {
    "report": REPORT,
    "organ": "spleen",
    "caption": "Spleen of 15 cm",
    "passage": "The spleen is enlarged to 14 cm.",
    "why": "14 cm, not 15 cm.",
    "verdict": "wrong_measurement",
}
CONTENT: dict[str, Any] = {
    "description": "For tests",
    "system": "Judge.",
    "message": "{{ report }}\n{{ organ }}: {{ caption }}\n",
    "examples": [EXAMPLE],
    "response": {"max_tokens": 200},
}


def judge(**changes: Any) -> JudgePrompt:
    return read_judge(yaml.safe_dump(CONTENT | changes).encode(), "j.yaml")


def problem(source: dict[str, Any] | str) -> str:
    with pytest.raises(PromptError) as caught:
        read_judge((yaml.safe_dump(source) if isinstance(source, dict) else source).encode(), "j.yaml")
    return str(caught.value)


# What a model is shown.


def test_what_does_not_change_comes_first_and_the_caption_last() -> None:
    loaded = judge()
    assert loaded.messages("No cyst.", "liver", "no cyst") == (
        ("system", "Judge."),
        ("user", f"{REPORT}\nspleen: Spleen of 15 cm"),
        ("assistant", f'{{"passage":"{EXAMPLE["passage"]}","why":"14 cm, not 15 cm.","verdict":"wrong_measurement"}}'),
        ("user", "No cyst.\nliver: no cyst"),
    )
    assert judge(examples=[]).messages("a", "b", "c") == (("system", "Judge."), ("user", "a\nb: c"))


def test_the_system_text_may_list_the_verdicts() -> None:
    assert judge(system="{{ verdicts | join(', ') }}").messages("a", "b", "c")[0][1] == ", ".join(VERDICTS)


@pytest.mark.parametrize("text", ["{{ 7 * 7 }} {% if %} {# gone #}", "<b>&amp;</b>", "{{"])
def test_a_report_is_no_template(text: str) -> None:
    assert judge().messages(text, text, text)[-1] == ("user", f"{text}\n{text}: {text}")


def test_a_model_quotes_and_explains_before_it_decides() -> None:
    loaded = judge()
    assert loaded.schema is loaded.schema
    assert loaded.schema == {
        "type": "object",
        "properties": {
            "passage": {"type": "string", "maxLength": 400},
            "why": {"type": "string", "maxLength": 300},
            "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
        },
        "required": ["passage", "why", "verdict"],
        "additionalProperties": False,
    }
    assert list(loaded.schema["properties"]) == loaded.schema["required"]


def test_a_judge_may_say_what_people_may() -> None:
    assert tuple(verdict.value for verdict in Verdict) == VERDICTS


# Files.


def test_the_hash_is_that_of_the_file_as_it_is(tmp_path: Path) -> None:
    source = yaml.safe_dump(CONTENT).encode() + b"# a comment\r\n"
    path = tmp_path / "mine.yaml"
    path.write_bytes(source)
    loaded = load_judge(str(path))
    assert (loaded.name, loaded.source, loaded.hash) == (str(path), source, hashlib.sha256(source).hexdigest())
    again = read_judge(source, "kept")
    assert again.hash == loaded.hash and again.messages("a", "b", "c") == loaded.messages("a", "b", "c")


def test_a_prompt_travels_to_another_process() -> None:
    loaded = judge()
    before = (loaded.messages("a", "b", "c"), loaded.schema)
    copied = pickle.loads(pickle.dumps(loaded))
    assert copied == loaded and (copied.messages("a", "b", "c"), copied.schema) == before


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("juge", str(tmp_path)):
        with pytest.raises(PromptError, match=r"cannot be read .*leave it out for the one that comes with ovct") as it:
            load_judge(name)
        assert f"“{name}”" in str(it.value)


def test_prompts_of_the_other_kind_are_told_apart() -> None:
    assert "judge" not in shipped_prompts()
    with pytest.raises(PromptError, match="cannot be read"):
        load_prompt("judge")
    with pytest.raises(PromptError, match="captions: "):
        read_judge(load_prompt("organ_captions").source, "captions")


# The shipped one.


def test_the_shipped_prompt_is_found_without_a_name() -> None:
    loaded = load_judge()
    assert loaded == load_judge("judge") and loaded.name == "judge"
    answers = [json.loads(text) for role, text in loaded.messages("", "", "") if role == "assistant"]
    assert 6 <= len(answers) <= 8
    assert all(list(answer) == loaded.schema["required"] for answer in answers)
    verdicts = [answer["verdict"] for answer in answers]
    assert set(verdicts) == set(VERDICTS) - {"unsure"}, "unsure is not to be taught"
    assert verdicts.count("supported") >= 3


def test_the_shipped_prompt_explains_every_verdict() -> None:
    system = load_judge().messages("", "", "")[0][1]
    places = [system.index(f"- {verdict}: ") for verdict in VERDICTS]
    assert places == sorted(places), "in the order of the guideline"


def test_the_shipped_prompt_leaves_room_in_a_small_context() -> None:
    """1,700 tokens at three characters each, which is on the safe side."""
    assert sum(len(text) for _, text in load_judge().messages("", "", "")) < 5_100


def test_the_verifier_sees_the_shipped_examples_as_they_say() -> None:
    """What does not stand alone is no hallucination."""
    verifier = Verifier()
    for example in load_judge().file.examples:
        assert verifier.resolve(example.organ) == example.organ, "captions are filed under canonical names"
        verification = verifier.verify(verifier.read(example.report), example.organ, example.caption)
        assert verification.accepted == (example.verdict in ("supported", "incomplete")), example


# What is wrong with a file.


def changed(path: str, value: Any) -> dict[str, Any]:
    """A file with one value set, or taken out (...), at a path such as ``examples.0.report``."""
    result = copy.deepcopy(CONTENT)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    parent: Any = result
    for key in parents:
        parent = parent[key]
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("sytem", "Judge.", "file: 'sytem' is not a key here; did you mean “system”?"),
        ("temperature", 0, "file: 'temperature' is not a key here; keys are description, system, message, examples"),
        ("response.max_token", 5, "response: 'max_token' is not a key here; did you mean “max_tokens”?"),
        ("examples.0.reason", "a", "examples 1: 'reason' is not a key here"),
        ("message", ..., "file: 'message' is missing"),
        ("examples.0.why", ..., "examples 1: 'why' is missing"),
        ("response.max_tokens", ..., "response: 'max_tokens' is missing"),
        ("description", 5, "description: 5 is not text; put it in quotes"),
        ("examples.0.organ", " ", "examples 1, organ: ' ' is empty"),
        ("examples", "none", "examples: 'none' is not a list"),
        ("response.max_tokens", 0, "response, max_tokens: 0 should be greater than or equal to 1"),
        ("response.max_tokens", "200", "response, max_tokens: '200' should be a valid integer"),
        ("examples.0.verdict", "wrong", "examples 1, verdict: 'wrong' is no verdict; they are supported, hallucinated"),
        ("examples.0.passage", "The spleen is enlarged to 15 cm.", "examples 1, passage: 'The spleen is enlarged to 1"),
        ("examples.0.passage", "the liver is normal", "is not in its report; quote it letter by letter"),
        ("examples.0.passage", "", "examples 1, passage: '' is empty; quote what makes it wrong_measurement"),
        ("examples.0.why", "a" * 301, "has 301 characters, and 300 are the most"),
        ("message", "{{ report }} {{ caption }", "message: '{{ report }} {{ caption }' is not Jinja"),
        ("message", "{{ text }}", "message: 'text' is not among its variables, which are report, organ, caption"),
        ("message", "{{ organ }}: {{ caption }}", "leaves the report out; write {{ report }} where it belongs"),
        ("message", "{{ report }} {{ organ }}", "leaves the caption out; write {{ caption }} where it belongs"),
        ("message", "{{ report }} {{ caption }}", "leaves the organ out; write {{ organ }} where it belongs"),
        ("message", "{{ report + 1 }}", "message: '{{ report + 1 }}' fails when it is filled in (TypeError: "),
        ("system", "{{ report }}", "system: 'report' is not among its variables, which are verdicts"),
    ],
)
def test_keys_values_and_templates(path: str, value: Any, expected: str) -> None:
    message = problem(changed(path, value))
    assert message.startswith("j.yaml: ") and expected in message


@pytest.mark.parametrize("source", ["a: [", "", "- a"])
def test_what_is_no_file_at_all(source: str) -> None:
    assert problem(source).startswith("j.yaml: file: ")


@pytest.mark.parametrize("verdict", ["hallucinated", "unsure"])
def test_where_the_report_is_silent_there_is_nothing_to_quote(verdict: str) -> None:
    assert judge(examples=[EXAMPLE | {"passage": "", "verdict": verdict}])
