"""One verdict by a fake model: what it is asked, and what is read from its answers."""

from __future__ import annotations

import asyncio

import pytest

from curation.audit.judge_case import JudgeCase, JudgeVerdict, judge_case
from curation.caption_set.audit_results import Verdict
from curation.engines.chat import Answer, ChatEngine, ChatFailed, EngineDown
from prompts.judge_file import load_judge
from tests.curation.audit.builders import EVIDENCE, REPORT_TEXT, judge_answer, judge_case_of, judge_that_says

PROMPT = load_judge()


def ask(chat: ChatEngine, case: JudgeCase | None = None) -> JudgeVerdict:
    return asyncio.run(judge_case(chat, PROMPT, case or judge_case_of(), 200))


# -- one caption ---------------------------------------------------------------------------------------------------


def test_a_model_is_asked_with_report_organ_and_caption() -> None:
    chat = judge_that_says(judge_answer("wrong_organ"))
    assert ask(chat) == JudgeVerdict(0, Verdict.WRONG_ORGAN, EVIDENCE, "It is there.", None)
    (question,) = chat.history
    assert [(turn.role, turn.content) for turn in question.messages] == list(
        PROMPT.messages(REPORT_TEXT, "left lung", "6 mm nodule")
    )
    assert question.schema is PROMPT.schema and question.max_tokens == 200


@pytest.mark.parametrize(
    "wrapped",
    [
        "```json\n{}\n```",
        "Let me see.\n```\n{}\n```\nI hope it helps.",
        "<think>Is it {{'verdict': 'hallucinated'}}? No.</think>\n{}",
        "{} I am sure of it.",
    ],
)
def test_what_stands_around_an_answer_does_not_matter(wrapped: str) -> None:
    chat = judge_that_says(wrapped.format(judge_answer()))
    assert ask(chat).verdict == Verdict.SUPPORTED and len(chat.history) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"verdict": "Wrong organ"}', JudgeVerdict(0, Verdict.WRONG_ORGAN, "", "", None)),
        ('{"verdict": " UNSURE. ", "passage": null}', JudgeVerdict(0, Verdict.UNSURE, "", "", None)),
        (
            '{"verdict": "wrong-polarity-or-side", "why": 1}',
            JudgeVerdict(0, Verdict.WRONG_POLARITY_OR_SIDE, "", "", None),
        ),
        ('{"passage": "a\\n b", "verdict": "incomplete"}', JudgeVerdict(0, Verdict.INCOMPLETE, "a b", "", None)),
        (judge_answer(passage="a" * 900), JudgeVerdict(0, Verdict.SUPPORTED, "a" * 400, "It is there.", None)),
    ],
)
def test_a_verdict_is_enough(text: str, expected: JudgeVerdict) -> None:
    """Servers without schemas hold a model to nothing."""
    assert ask(judge_that_says(text)) == expected


@pytest.mark.parametrize(
    ("first", "problem"),
    [
        (judge_answer("plausible"), "verdict: one of supported, hallucinated, "),
        ('{"passage": "", "why": ""}', "was expected, and there is none"),
        ('["supported"]', "an object with passage, why and verdict was expected"),
        ("Supported!", "no JSON in the answer: “Supported!”"),
        (" ", "the answer is empty"),
        ('{"passage": "A', "not JSON: "),
        (Answer('{"passage": "A', "length", 1, 1), "the answer was cut off after 14 characters"),
    ],
)
def test_an_answer_that_cannot_be_used_goes_back_once_with_the_error(first: str | Answer, problem: str) -> None:
    chat = judge_that_says(first, judge_answer())
    assert ask(chat).verdict == Verdict.SUPPORTED
    before, after = (question.messages for question in chat.history)
    assert after[:-2] == before
    assert after[-2].role == "assistant"
    assert problem in after[-1].content and "Answer again" in after[-1].content
    assert chat.history[1].schema is PROMPT.schema

    still = judge_that_says(first)
    judged = ask(still)
    assert judged.verdict is None and judged.error is not None and problem in judged.error
    assert len(still.history) == 2


def test_of_an_answer_that_goes_round_in_circles_little_is_shown() -> None:
    chat = judge_that_says(Answer('{"passage": "' + "the lung " * 500, "length", 1, 1), judge_answer())
    assert ask(chat).verdict == Verdict.SUPPORTED
    assert len(chat.history[1].messages[-2].content) == 300


def test_letters_that_no_file_takes_are_replaced() -> None:
    assert ask(judge_that_says(judge_answer(passage="a \ud800").replace("\\ud800", "\ud800"))).passage == "a ?"


def test_a_chat_that_fails_costs_its_caption_the_verdict() -> None:
    assert ask(judge_that_says(ChatFailed("refused: no medicine"))) == JudgeVerdict(
        0, None, "", "", "refused: no medicine"
    )
    assert ask(judge_that_says("nonsense", ChatFailed("gone"))).error == "gone"


def test_an_engine_that_goes_down_is_no_error_of_a_caption() -> None:
    with pytest.raises(EngineDown):
        ask(judge_that_says(EngineDown("gone")))


# -- reports that are too long -------------------------------------------------------------------------------------

FILLER = "The spleen is normal in size and shape. "
LONG = FILLER * 200 + EVIDENCE + " " + FILLER * 200
OPENING = sum(len(text) for _, text in PROMPT.messages("", "", ""))


def shown(question: str) -> str:
    """The report in a question."""
    return question.partition("Report:\n")[2].partition("\n\nOrgan:")[0]


def test_of_evidence_in_two_places_both_are_shown() -> None:
    other = "In the left lung the nodule is new."
    report = FILLER * 200 + EVIDENCE + " " + FILLER * 400 + other + " " + FILLER * 200
    spans = [(report.index(passage), report.index(passage) + len(passage)) for passage in (EVIDENCE, other)]
    chat = judge_that_says(judge_answer(), room=OPENING + 5_000)
    case = JudgeCase(0, report, "left lung", "New 6 mm nodule", spans)
    assert ask(chat, case).verdict == Verdict.SUPPORTED
    part = shown(chat.questions[-1])
    assert part.index(EVIDENCE) < part.index("shape. … The spleen") < part.index(other)


@pytest.mark.parametrize(("room", "reach", "tries"), [(7_000, 3_000, 2), (2_000, 800, 3)])
def test_of_a_report_that_is_too_long_the_part_around_the_evidence_is_shown(room: int, reach: int, tries: int) -> None:
    chat = judge_that_says(judge_answer(), room=OPENING + room)
    assert ask(chat, judge_case_of(report=LONG)).verdict == Verdict.SUPPORTED
    assert len(chat.history) == tries and shown(chat.questions[0]) == LONG
    part = shown(chat.questions[-1])
    before, behind = part.split(EVIDENCE)
    assert before.startswith("… The spleen") and behind.endswith("shape. …"), "whole statements"
    assert all(reach - 50 < len(side) <= reach + 3 for side in (before, behind))


def test_where_no_part_is_short_enough_there_is_no_verdict() -> None:
    chat = judge_that_says(judge_answer(), room=OPENING)
    judged = ask(chat, judge_case_of(report=LONG))
    assert judged.verdict is None and judged.error is not None
    assert judged.error.startswith("too long for the model: ")
    assert len(chat.history) == 3


def test_where_no_passage_is_known_no_part_is_judged_for_the_whole() -> None:
    chat = judge_that_says(judge_answer(), room=OPENING + 2_000)
    judged = ask(chat, judge_case_of(report=LONG, evidence=""))
    assert judged.verdict is None and judged.error is not None and len(chat.history) == 1


def test_a_report_that_is_short_already_is_not_asked_about_again() -> None:
    chat = judge_that_says(judge_answer(), room=10)
    assert ask(chat).error is not None and len(chat.history) == 1


def test_where_the_error_does_not_fit_the_first_answer_stands() -> None:
    chat = judge_that_says("nonsense", room=OPENING + len(REPORT_TEXT) + 40)
    judged = ask(chat)
    assert judged.error == "no JSON in the answer: “nonsense”" and len(chat.history) == 2
