"""Verdicts by a model that is not one: what it is asked, what becomes of its answers, and of runs that end badly."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from curation.audit.judging import Case, Judged, judge, judge_case
from curation.caption_set.audit_results import Verdict
from curation.engines.chat import Answer, Chat, ChatEngine, ChatFailed, EngineDown, TooLong
from curation.llm.recipes import connection, language_model
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from prompts.judge_file import load_judge
from tests.curation.fakes import FakeChat
from tests.curation.hostile_server import HostileServer, Turns, answers
from tests.curation.server_faults import fails, fenced

EVIDENCE = "A 6 mm nodule is seen in the left lung."
REPORT = f"The liver is normal. {EVIDENCE} No pleural effusion."
PROMPT = load_judge()
Said = str | Answer | Exception


def case(key: int = 0, report: str = REPORT, evidence: str = EVIDENCE, caption: str = "6 mm nodule") -> Case:
    start = report.find(evidence) if evidence else -1
    return Case(key, report, "left lung", caption, start, start + len(evidence) if evidence else -1)


def answer(verdict: str = "supported", passage: str = EVIDENCE) -> str:
    return json.dumps({"passage": passage, "why": "It is there.", "verdict": verdict})


@dataclass
class Chatter(FakeChat):
    """``room``: characters of a chat that fit. Counts how many chats it works on at once."""

    room: int | None = None
    now: int = 0
    most: int = 0

    async def answer(self, chat: Chat) -> Answer:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            length = sum(len(turn.content) for turn in chat.messages)
            if self.room is not None and length > self.room:
                self.history.append(chat)
                raise TooLong(f"{length} characters, {self.room} fit")
            return await super().answer(chat)
        finally:
            self.now -= 1

    @property
    def questions(self) -> list[str]:
        return [chat.messages[-1].content for chat in self.history]


def says(*queue: Said, room: int | None = None) -> Chatter:
    """A model that says one thing after the other, and the last of them again and again."""
    left = deque(queue)

    def respond(message: str) -> str | Answer:
        said = left[0] if len(left) == 1 else left.popleft()
        if isinstance(said, Exception):
            raise said
        return said

    return Chatter(respond, room=room)


def ask(chat: ChatEngine, one: Case | None = None) -> Judged:
    return asyncio.run(judge_case(chat, PROMPT, one or case(), 200))


# -- one caption ---------------------------------------------------------------------------------------------------


def test_a_model_is_asked_with_report_organ_and_caption() -> None:
    chat = says(answer("wrong_organ"))
    assert ask(chat) == Judged(0, Verdict.WRONG_ORGAN, EVIDENCE, "It is there.", None)
    (asked,) = chat.history
    assert [(turn.role, turn.content) for turn in asked.messages] == list(
        PROMPT.messages(REPORT, "left lung", "6 mm nodule")
    )
    assert asked.schema is PROMPT.schema and asked.max_tokens == 200


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
    chat = says(wrapped.format(answer()))
    assert ask(chat).verdict == Verdict.SUPPORTED and len(chat.history) == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"verdict": "Wrong organ"}', Judged(0, Verdict.WRONG_ORGAN, "", "", None)),
        ('{"verdict": " UNSURE. ", "passage": null}', Judged(0, Verdict.UNSURE, "", "", None)),
        ('{"verdict": "wrong-polarity-or-side", "why": 1}', Judged(0, Verdict.WRONG_POLARITY_OR_SIDE, "", "", None)),
        ('{"passage": "a\\n b", "verdict": "incomplete"}', Judged(0, Verdict.INCOMPLETE, "a b", "", None)),
        (answer(passage="a" * 900), Judged(0, Verdict.SUPPORTED, "a" * 400, "It is there.", None)),
    ],
)
def test_a_verdict_is_enough(said: str, expected: Judged) -> None:
    """Servers without schemas hold a model to nothing."""
    assert ask(says(said)) == expected


@pytest.mark.parametrize(
    ("first", "problem"),
    [
        (answer("plausible"), "verdict: one of supported, hallucinated, "),
        ('{"passage": "", "why": ""}', "was expected, and there is none"),
        ('["supported"]', "an object with passage, why and verdict was expected"),
        ("Supported!", "no JSON in the answer: “Supported!”"),
        (" ", "the answer is empty"),
        ('{"passage": "A', "not JSON: "),
        (Answer('{"passage": "A', "length", 1, 1), "the answer was cut off after 14 characters"),
    ],
)
def test_an_answer_that_cannot_be_used_goes_back_once_with_the_error(first: str | Answer, problem: str) -> None:
    chat = says(first, answer())
    assert ask(chat).verdict == Verdict.SUPPORTED
    before, after = (one.messages for one in chat.history)
    assert after[:-2] == before
    assert after[-2].role == "assistant"
    assert problem in after[-1].content and "Answer again" in after[-1].content
    assert chat.history[1].schema is PROMPT.schema

    still = says(first)
    judged = ask(still)
    assert judged.verdict is None and judged.error is not None and problem in judged.error
    assert len(still.history) == 2


def test_of_an_answer_that_goes_round_in_circles_little_is_shown() -> None:
    chat = says(Answer('{"passage": "' + "the lung " * 500, "length", 1, 1), answer())
    assert ask(chat).verdict == Verdict.SUPPORTED
    assert len(chat.history[1].messages[-2].content) == 300


def test_letters_that_no_file_takes_are_replaced() -> None:
    assert ask(says(answer(passage="a \ud800").replace("\\ud800", "\ud800"))).passage == "a ?"


def test_a_chat_that_fails_costs_its_caption_the_verdict() -> None:
    assert ask(says(ChatFailed("refused: no medicine"))) == Judged(0, None, "", "", "refused: no medicine")
    assert ask(says("nonsense", ChatFailed("gone"))).error == "gone"


def test_an_engine_that_goes_down_is_no_error_of_a_caption() -> None:
    with pytest.raises(EngineDown):
        ask(says(EngineDown("gone")))


# -- reports that are too long -------------------------------------------------------------------------------------

FILLER = "The spleen is normal in size and shape. "
LONG = FILLER * 200 + EVIDENCE + " " + FILLER * 200
OPENING = sum(len(text) for _, text in PROMPT.messages("", "", ""))


def shown(question: str) -> str:
    """The report in a question."""
    return question.partition("Report:\n")[2].partition("\n\nOrgan:")[0]


@pytest.mark.parametrize(("room", "reach", "tries"), [(7_000, 3_000, 2), (2_000, 800, 3)])
def test_of_a_report_that_is_too_long_the_part_around_the_evidence_is_shown(room: int, reach: int, tries: int) -> None:
    chat = says(answer(), room=OPENING + room)
    assert ask(chat, case(report=LONG)).verdict == Verdict.SUPPORTED
    assert len(chat.history) == tries and shown(chat.questions[0]) == LONG
    part = shown(chat.questions[-1])
    before, behind = part.split(EVIDENCE)
    assert before.startswith("… The spleen") and behind.endswith("shape. …"), "whole statements"
    assert all(reach - 50 < len(side) <= reach + 3 for side in (before, behind))


def test_where_no_part_is_short_enough_there_is_no_verdict() -> None:
    chat = says(answer(), room=OPENING)
    judged = ask(chat, case(report=LONG))
    assert judged.verdict is None and judged.error is not None
    assert judged.error.startswith("too long for the model: ")
    assert len(chat.history) == 3


def test_where_no_passage_is_known_no_part_is_judged_for_the_whole() -> None:
    chat = says(answer(), room=OPENING + 2_000)
    judged = ask(chat, case(report=LONG, evidence=""))
    assert judged.verdict is None and judged.error is not None and len(chat.history) == 1


def test_a_report_that_is_short_already_is_not_asked_about_again() -> None:
    chat = says(answer(), room=10)
    assert ask(chat).error is not None and len(chat.history) == 1


def test_where_the_error_does_not_fit_the_first_answer_stands() -> None:
    chat = says("nonsense", room=OPENING + len(REPORT) + 40)
    judged = ask(chat)
    assert judged.error == "no JSON in the answer: “nonsense”" and len(chat.history) == 2


# -- many captions -------------------------------------------------------------------------------------------------


def connecting(chat: ChatEngine) -> Callable[[], Awaitable[ChatEngine]]:
    async def connect() -> ChatEngine:
        return chat

    return connect


def run(chat: ChatEngine, cases: Iterator[Case], progress: Progress | None = None) -> list[Judged]:
    kept: list[Judged] = []
    judge(connecting(chat), PROMPT, cases, kept.append, progress or Progress(), 200)
    return kept


class Counting(Progress):
    """Counts; stops the run when so many are done."""

    def __init__(self, stop: int | None = None) -> None:
        self.done = 0
        self._stop = stop

    def advance(self) -> None:
        self.done += 1

    def raise_if_interrupted(self) -> None:
        if self._stop is not None and self.done >= self._stop:
            raise Interrupted


def test_thousands_of_captions_are_taken_a_few_at_a_time() -> None:
    chat, progress, taken, threads = says(answer()), Counting(), itertools.count(), set[int]()
    chat.in_flight = 8
    chat.seconds = 0.001
    ahead: list[int] = []

    def cases() -> Iterator[Case]:
        for key in range(3_000):
            ahead.append(next(taken) - progress.done)
            yield case(key)

    kept: list[Judged] = []

    def keep(judged: Judged) -> None:
        threads.add(threading.get_ident())
        kept.append(judged)

    judge(connecting(chat), PROMPT, cases(), keep, progress, 200)
    assert Counter(judged.key for judged in kept) == Counter(range(3_000))
    assert progress.done == len(chat.history) == 3_000
    assert max(ahead) == 15 and 8 <= chat.most <= 16
    assert threads == {threading.get_ident()}, "a store need not be made for threads"
    assert chat.closed


def test_verdicts_are_kept_as_they_come() -> None:
    """Not only when as many are under way as may be, which here are 128."""
    chat, kept = says(answer()), list[Judged]()

    def slowly() -> Iterator[Case]:
        for key in range(100):
            if kept:
                return
            time.sleep(0.01)
            yield case(key)
        pytest.fail("nothing was kept meanwhile")

    judge(connecting(chat), PROMPT, slowly(), kept.append, Progress(), 200)
    assert len(kept) == len(chat.history)


def test_captions_go_wrong_alone() -> None:
    def respond(message: str) -> str:
        if "ruptured" in message:
            raise ChatFailed("refused")
        return answer("hallucinated" if "8 mm" in message else "supported")

    captions = ["6 mm nodule", "ruptured", "8 mm nodule", "6 mm nodule"]
    kept = run(Chatter(respond), (case(key, caption=caption) for key, caption in enumerate(captions)))
    assert {one.key: one.verdict for one in kept} == {
        0: Verdict.SUPPORTED,
        1: None,
        2: Verdict.HALLUCINATED,
        3: Verdict.SUPPORTED,
    }
    assert run(says(answer()), iter(())) == []


def test_a_stopped_run_keeps_what_it_has() -> None:
    chat, progress, kept = says(answer()), Counting(stop=30), list[Judged]()
    with pytest.raises(Interrupted):
        judge(connecting(chat), PROMPT, map(case, range(1_000)), kept.append, progress, 200)
    assert len(kept) == progress.done == 30 and chat.closed
    assert len(chat.history) < 1_000


def test_ctrl_c_is_heard_while_a_model_is_thinking() -> None:
    chat, checks = says(answer()), itertools.count()
    chat.seconds = 60.0

    class Impatient(Progress):
        def raise_if_interrupted(self) -> None:
            if next(checks) > 3:
                raise Interrupted

    with pytest.raises(Interrupted):
        run(chat, iter([case()]), Impatient())
    assert chat.closed and not chat.history


def test_an_engine_that_goes_down_ends_the_run_and_keeps_what_it_has() -> None:
    said, kept = itertools.count(), list[Judged]()

    def down_after_20(message: str) -> str:
        if next(said) >= 20:
            raise EngineDown("the server is gone")
        return answer()

    chat = Chatter(down_after_20)
    with pytest.raises(RunError, match="the server is gone"):
        judge(connecting(chat), PROMPT, map(case, range(100)), kept.append, Progress(), 200)
    assert chat.closed and [judged.key for judged in kept] == list(range(20))


def test_an_error_of_the_store_closes_the_engine() -> None:
    def full(judged: Judged) -> None:
        raise OSError("no space left")

    chat = says(answer())
    with pytest.raises(OSError, match="no space left"):
        judge(connecting(chat), PROMPT, map(case, range(9)), full, Progress(), 200)
    assert chat.closed


def test_a_model_that_the_prompt_does_not_fit_into_is_not_asked() -> None:
    chat = says(answer())
    chat.context = 512
    with pytest.raises(InputError, match=r"the judge's prompt judge alone has about .* the model takes 512 in all"):
        run(chat, iter([case()]))
    assert chat.closed and not chat.history


# -- a real server -------------------------------------------------------------------------------------------------


def verdict_of(turns: Turns) -> str:
    return answer("supported" if "6 mm" in turns[-1]["content"].rpartition("Caption: ")[2] else "hallucinated")


def test_a_server_of_bad_manners_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    with HostileServer(verdict_of, lambda asked: fenced if asked.number % 2 else answers) as hostile:
        model, connect = connection(language_model("openai", {"base_url": hostile.url}), lambda: None)
        assert model == "hostile-1"
        kept: list[Judged] = []
        captions = ["6 mm nodule", "8 mm nodule"] * 20
        cases = (case(key, caption=caption) for key, caption in enumerate(captions))
        judge(connect, PROMPT, cases, kept.append, Progress(), 200)
        schema = hostile.log[0].body["response_format"]["json_schema"]["schema"]
    found = {one.key: one.verdict for one in kept}
    assert found == {key: (Verdict.SUPPORTED, Verdict.HALLUCINATED)[key % 2] for key in range(40)}
    assert schema == PROMPT.schema and list(schema["properties"]) == ["passage", "why", "verdict"]


def test_a_server_that_knows_no_such_chat_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    with HostileServer(verdict_of, lambda asked: fails(404, "no such model")) as hostile:
        said = {"base_url": hostile.url, "model": "other"}
        model, connect = connection(language_model("openai", said), lambda: None)
        assert model == "other" and not hostile.log
        with pytest.raises(RunError, match="correct --model"):
            judge(connect, PROMPT, iter([case()]), list[Judged]().append, Progress(), 200)
