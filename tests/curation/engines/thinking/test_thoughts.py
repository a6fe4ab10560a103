"""Answers behind thoughts, and thoughts without an answer."""

import pytest

from curation.engines.thinking.thoughts import after_thoughts, as_thought, is_only_thoughts

ANSWER = '{"captions":[{"organ":"liver","caption":"ok"}]}'
DRAFT = '{"captions":[]}'


@pytest.mark.parametrize(
    "content",
    [
        "@A",
        "<think>hm @D no</think>@A",
        "<think></think>@A",
        "hm @D</think>@A",
        "<think>@D</think><think>@D</think>@A",
        "<THINKING>x</THINKING><answer>@A</answer>",
        "<seed:think>@D</seed:think>@A",
        "<thought>@D</thought>\n```json\n@A\n```",
        "[THINK]@D[/THINK]@A",
        "◁think▷@D◁/think▷@A",
        "<unused94>thought\n@D<unused95>@A",
        "<|START_THINKING|>@D<|END_THINKING|><|START_RESPONSE|>@A<|END_RESPONSE|>",
        "<|begin_of_thought|>@D<|end_of_thought|><|begin_of_solution|>@A<|end_of_solution|>",
        "<|channel|>analysis<|message|>We @D<|end|><|start|>assistant<|channel|>final<|message|>@A<|return|>",
        "<|channel|>analysis<|message|>@D<|end|><|channel|>final <|constrain|>json<|message|>@A<|return|>",
        "analysisWe need @D.assistantfinal@A",
        "<|channel>thought\n@D<channel|>@A",
        "Here is my thought process: @D Here is my response: @A",
        "Here are my reasoning steps:\n@D\n[BEGIN FINAL RESPONSE]\n@A\n[END FINAL RESPONSE]",
        # The thoughts end with the answer.
        "<think>@A</think>",
        "<think>so it is\n```json\n@A\n```\n</think>\n",
        "<think>first @D, then @A",
        "@A<think>was it right?",
    ],
)
def test_the_answer_stands_behind_the_thoughts(content: str) -> None:
    content = content.replace("@A", ANSWER).replace("@D", DRAFT)
    found = after_thoughts(content)
    assert ANSWER in found and DRAFT not in found
    assert not is_only_thoughts(content)


@pytest.mark.parametrize(
    "content",
    [
        "<think>D hm, but",
        "<think>D hm.</think>",
        "<think>D hm.</think>\n<|im_end|>",
        "<|channel|>analysis<|message|>We D need",
        "<thinking>a</thinking>",
        "[THINK]D and",
        as_thought("the report says no"),
    ],
)
def test_a_draft_within_thoughts_is_no_answer(content: str) -> None:
    content = content.replace("D", DRAFT)
    assert not after_thoughts(content).strip() and is_only_thoughts(content)


@pytest.mark.parametrize("content", ["", " ", "The liver is normal.", DRAFT, '["think"]', "I think: [reason] no"])
def test_what_holds_no_thoughts_stays(content: str) -> None:
    assert after_thoughts(content) == content and not is_only_thoughts(content)
