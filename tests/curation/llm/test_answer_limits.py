"""The limits of a prompt, kept to whatever a model answers."""

import json
from typing import Any, Literal

import pytest

from curation.llm.answer_limits import AnswerLimits, question_limits, repair_limits
from curation.llm.answer_parsing import parse_answer
from prompts.prompt_file import load_prompt, read_prompt
from tests.curation.fakes import PROMPT

LIMITS = AnswerLimits(2, 10, 8)


def listed(*pairs: tuple[str, str]) -> str:
    return json.dumps({"captions": [{"organ": organ, "caption": caption} for organ, caption in pairs]})


@pytest.mark.parametrize(
    ("form", "content", "kept", "refused"),
    [
        ("captions", listed(("liver", "a" * 10)), 1, []),
        ("captions", listed(("liver", "a" * 11), ("liver", "b")), 1,
         [("liver", "aaaaaaaaa…", "caption: 11 characters, 10 at most")]),
        ("captions", listed(("o" * 9, "b")), 0, [("ooooooo…", "b", "organ: 9 characters, 8 at most")]),
        ("captions", listed(("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")), 2,
         [("", "", "2 captions beyond the 2 that the prompt allows")]),
        ("organs", json.dumps({"a": ["b", "c", "d"], "e": ["f"]}), 3,
         [("", "", "1 captions beyond the 2 for an organ that the prompt allows")]),
        # The answer breaks off.
        ("captions", listed(("liver", "a" * 99), ("liver", "b"))[:-1], 1,
         [("liver", "aaaaaaaaa…", "caption: 99 characters, 10 at most")]),
    ],
)  # fmt: skip
def test_limits(form: Literal["organs", "captions"], content: str, kept: int, refused: list[Any]) -> None:
    parsed = parse_answer(content, "stop", form, limits=LIMITS)
    assert len(parsed.drafts) == kept
    assert [(row.organ, row.caption, row.detail) for row in parsed.oversized] == refused


def test_the_limits_are_those_of_the_prompt() -> None:
    prompt = read_prompt(PROMPT, "test")
    assert question_limits(prompt)[:2] == (40, 300) and repair_limits(prompt).characters == 300
    assert question_limits(load_prompt("organ_captions")).organ_characters >= 60


def test_half_a_character_in_a_caption_is_one_that_nothing_says() -> None:
    content = '{"captions": [{"organ": "liver", "caption": "A \\ud800 cyst \\ud83d\\ude00"}, '
    content += '{"organ": "a\\uDFFF", "caption": "b"}]}'
    parsed = parse_answer(content, "stop", "captions")
    assert parsed.problem is None
    assert [(draft.organ, draft.caption) for draft in parsed.drafts] == [("liver", "A � cyst 😀"), ("a�", "b")]


def test_thoughts_alone_are_told_as_such() -> None:
    parsed = parse_answer('<think>maybe {"captions": []}, but no', "stop", "captions")
    assert parsed.problem is not None and "only thinks" in parsed.problem.detail
