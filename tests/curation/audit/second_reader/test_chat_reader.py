"""A model's answers about all captions of a report: what is read of them, what is asked again, what is no reading."""

import asyncio
import json
from collections import deque
from collections.abc import Sequence

import pytest

from curation.audit.second_reader.chat_reader import ChatReader, Readings, TokenCount, parse_answer, question_groups
from curation.audit.second_reader.comparison import ReaderAnswer
from curation.engines.chat import Answer, Chat, ChatFailed, TooLong
from prompts.second_reader.reader_file import MOST_CAPTIONS
from tests.curation.audit.second_reader.reader_sets import PROMPT, numbered
from tests.curation.fakes import FakeChat

LIVER = {"number": 1, "organ": "liver", "status": "normal", "said": "yes"}
SPLEEN = {"number": 2, "organ": "spleen", "status": "abnormal", "said": "no"}
LIVER_READ = ReaderAnswer(("liver",), "normal", True)
SPLEEN_READ = ReaderAnswer(("spleen",), "abnormal", False)


def answer_of(*rows: object) -> str:
    return json.dumps({"captions": rows})


@pytest.mark.parametrize(
    ("content", "readings"),
    [
        (answer_of(LIVER, SPLEEN), {1: LIVER_READ, 2: SPLEEN_READ}),
        (f"Here it is:\n```json\n{answer_of(SPLEEN, LIVER)}\n```", {1: LIVER_READ, 2: SPLEEN_READ}),
        (answer_of(LIVER | {"number": "1."}, SPLEEN | {"said": False}), {1: LIVER_READ, 2: SPLEEN_READ}),
        (answer_of(LIVER | {"status": "Normal.", "said": "Yes"}, SPLEEN), {1: LIVER_READ, 2: SPLEEN_READ}),
        (answer_of(LIVER, LIVER, SPLEEN), {1: LIVER_READ, 2: SPLEEN_READ}),
        (answer_of(LIVER, SPLEEN | {"status": "none"}), {1: LIVER_READ, 2: SPLEEN_READ._replace(status=None)}),
        (answer_of(LIVER | {"organ": None}, SPLEEN), {1: LIVER_READ._replace(organs=()), 2: SPLEEN_READ}),
    ],
)
def test_answers_that_can_be_read(content: str, readings: dict[int, ReaderAnswer]) -> None:
    assert parse_answer(content, "stop", 2) == (readings, "")


@pytest.mark.parametrize(
    ("content", "read", "problem"),
    [
        ("The liver is normal.", set[int](), "no JSON in the answer"),
        ("", set[int](), "the answer is empty"),
        ("[1, 2]", set[int](), 'a list "captions" was expected'),
        ('{"captions": {"1": "yes"}}', set[int](), 'a list "captions" was expected'),
        (answer_of(LIVER, SPLEEN)[:-30], set[int](), "not JSON"),
        (answer_of(LIVER), {1}, "nothing is said of caption 2"),
        (answer_of(LIVER, "yes"), {1}, "each caption needs an object"),
        (answer_of(LIVER, SPLEEN | {"number": 3}), {1}, "number: 1 to 2 was expected, not 3"),
        (answer_of(LIVER, SPLEEN | {"number": True}), {1}, "number: 1 to 2 was expected, not True"),
        (answer_of(LIVER, SPLEEN | {"said": "partly"}), {1}, 'said: "yes" or "no" was expected, not \'partly\''),
        (answer_of(LIVER | {"status": "fine"}, SPLEEN), {2}, "status: one of normal, abnormal, uncertain was expected"),
        (answer_of(LIVER, SPLEEN, LIVER | {"status": "abnormal"}), {2}, "caption 1 has two different answers"),
        (answer_of(LIVER, LIVER | {"number": None}, SPLEEN | {"status": []}), {1, 2}, "number: 1 to 2"),
    ],
)
def test_what_cannot_be_read_is_no_reading(content: str, read: set[int], problem: str) -> None:
    parsed = parse_answer(content, "stop", 2)
    assert set(parsed.readings) == read and problem in parsed.problem


def test_each_wording_is_asked_about_once_and_long_lists_are_cut_evenly() -> None:
    assert question_groups(["a", "b", "a"]) == [("a", "b")]
    assert question_groups([]) == []
    texts = [f"caption {number}" for number in range(2 * MOST_CAPTIONS + 1)]
    groups = question_groups(texts)
    assert [len(group) for group in groups] == [13, 14, 14] and [text for group in groups for text in group] == texts


def read(chat: FakeChat, *captions: str) -> tuple[Readings, TokenCount]:
    async def ask() -> tuple[Readings, TokenCount]:
        reader = ChatReader(chat, PROMPT)
        return await reader.read("The liver is normal.", captions), reader.tokens

    return asyncio.run(ask())


def answers_in_turn(*answers: str | Answer | Exception) -> FakeChat:
    queue = deque(answers)

    def respond(question: str) -> str | Answer:
        answer = queue.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return FakeChat(respond)


def captions_asked(chats: Sequence[Chat]) -> list[list[str]]:
    return [list(numbered(chat.messages[-1].content).values()) for chat in chats]


def test_what_is_missing_is_asked_about_alone() -> None:
    chat = answers_in_turn(answer_of(LIVER), answer_of(SPLEEN | {"number": 1}))
    readings, tokens = read(chat, "The liver is normal", "Spleen is enlarged")
    assert readings == {"The liver is normal": LIVER_READ, "Spleen is enlarged": SPLEEN_READ}
    assert captions_asked(chat.history) == [["The liver is normal", "Spleen is enlarged"], ["Spleen is enlarged"]]
    assert tokens.requests == 2 and tokens.prompt == 200


def test_an_answer_without_any_reading_is_shown_with_its_error() -> None:
    chat = answers_in_turn("Both are right.", answer_of(LIVER, SPLEEN))
    readings, _ = read(chat, "a", "b")
    assert readings == {"a": LIVER_READ, "b": SPLEEN_READ}
    assert "no JSON in the answer" in chat.history[1].messages[-1].content


def test_a_second_answer_that_cannot_be_read_is_no_reading() -> None:
    readings, _ = read(answers_in_turn("Both are right.", "Both are right."), "a", "b")
    assert {text: (reading.said, reading.problem) for text, reading in readings.items()} == {
        text: (None, "no JSON in the answer: “Both are right.”") for text in ("a", "b")
    }
    readings, _ = read(answers_in_turn(answer_of(LIVER), ChatFailed("refused")), "a", "b")
    assert readings == {"a": LIVER_READ, "b": ReaderAnswer(problem="refused")}


def test_what_is_cut_or_too_long_is_asked_by_halves() -> None:
    cut = Answer('{"captions": [{"number"', "length", 9, 9)
    chat = answers_in_turn(cut, answer_of(LIVER), answer_of(SPLEEN | {"number": 1}))
    readings, _ = read(chat, "a", "b")
    assert readings == {"a": LIVER_READ, "b": SPLEEN_READ}
    assert captions_asked(chat.history) == [["a", "b"], ["a"], ["b"]]
    chat = answers_in_turn(TooLong("900 tokens"), answer_of(LIVER), TooLong("900 tokens"))
    readings, _ = read(chat, "a", "b")
    assert readings == {"a": LIVER_READ, "b": ReaderAnswer(problem="too long for the model: 900 tokens")}


def test_neither_organ_nor_status_of_the_set_is_shown() -> None:
    system, *_, question = PROMPT.messages("The liver is normal.", ["The liver is normal"])
    assert question[1].split() == "Report: The liver is normal. Captions: 1. The liver is normal".split()
    assert system[0] == "system"


def test_the_examples_of_the_prompt_are_answers_that_can_be_read() -> None:
    turns = PROMPT.messages("", [""])[1:-1]
    for question, answer in zip(turns[::2], turns[1::2], strict=True):
        parsed = parse_answer(answer[1], "stop", len(numbered(question[1])))
        assert parsed.problem == "" and len(parsed.readings) == len(numbered(question[1])) > 0
