"""A judge's verdicts on a sample: asked for once each, stored as they come, and what becomes of runs that end badly."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from curation.audit.judge_case import JudgeCase, JudgeVerdict
from curation.audit.judge_run import JudgeRun, judge_captions, judge_sample
from curation.audit.sample import SampleRequest
from curation.audit.store import AuditStore
from curation.audit.summary import summarise
from curation.caption_set.audit_results import Verdict
from curation.engines.chat import ChatEngine, ChatFailed, EngineDown
from curation.llm.recipes import connection, model_options
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from prompts.judge_file import load_judge
from tests.curation.audit.builders import (
    FakeJudge,
    give_verdicts,
    judge_answer,
    judge_case_of,
    judge_that_says,
    open_audit,
    plain_reports,
    write_set,
)
from tests.curation.fakes import FakeChat
from tests.curation.hostile_server import HostileServer, Turns, answers
from tests.curation.server_faults import fails, fenced

PROMPT = load_judge()


def verdict(name: str) -> str:
    return json.dumps({"passage": "The liver is normal.", "why": "because", "verdict": name})


def connected(chat: ChatEngine) -> Callable[[], Awaitable[ChatEngine]]:
    async def connect() -> ChatEngine:
        return chat

    return connect


def run(store: AuditStore, chat: FakeChat, progress: Progress | None = None) -> JudgeRun:
    return judge_sample(store, "llm-1", connected(chat), PROMPT, None, progress or Progress())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain_reports(10, refused_each=1))
    return tmp_path / "set"


def test_each_caption_is_asked_about_once_and_reports_stay_together(root: Path) -> None:
    with open_audit(root, sample=SampleRequest(30, 10)) as store:
        chat = FakeChat(lambda _: verdict("supported"))
        done = run(store, chat)
        assert (done.judged, done.judged_before, done.failed) == (40, 0, 0)
        reports = [
            message.split("mm cyst")[0] for message in (question.messages[-1].content for question in chat.history)
        ]
        changes = sum(before != after for before, after in pairwise(reports))
        assert changes == 9
        again = run(store, chat)
        assert (again.judged, again.judged_before) == (0, 40) and len(chat.history) == 40
        assert store.value("SELECT judge FROM judgement").startswith("llm-1, judge ")


def test_what_got_no_verdict_is_asked_again(root: Path) -> None:
    def fails(message: str) -> str:
        if "Organ: spleen" in message:
            raise ChatFailed("no luck")
        return verdict("hallucinated")

    with open_audit(root, sample=SampleRequest(30)) as store:
        done = run(store, FakeChat(fails))
        assert (done.judged, done.failed) == (20, 10) and "no luck" in (done.problem or "")
        done = run(store, FakeChat(lambda _: verdict("supported")))
        assert (done.judged, done.judged_before, done.failed) == (10, 20, 0)


def test_a_stopped_run_of_a_sample_goes_on_where_it_was(root: Path) -> None:
    class Stops(Progress):
        done = 0

        def advance(self) -> None:
            self.done += 1

        def raise_if_interrupted(self) -> None:
            if self.done >= 5:
                raise Interrupted

    with open_audit(root, sample=SampleRequest(30)) as store:
        with pytest.raises(Interrupted):
            run(store, FakeChat(lambda _: verdict("supported")), Stops())
        stored = store.value("SELECT count(*) FROM judgement")
        assert stored >= 5
        assert run(store, FakeChat(lambda _: verdict("supported"))).judged_before == stored


def test_its_agreement_with_people_is_in_the_summary(root: Path) -> None:
    with open_audit(root, sample=SampleRequest(30)) as store:
        assert summarise(store, "g").judges == ()
        run(store, FakeChat(lambda message: verdict("hallucinated" if "Organ: liver" in message else "supported")))
        give_verdicts(store, "ann", ["supported"] * 30)
        (agreement,) = summarise(store, "g").judges
        assert (agreement.first, agreement.reviewed, agreement.percent.hits) == ("reviewers", 30, 20)
        assert summarise(store, "g").hallucination.hits == 0  # a judge decides nothing


# -- many captions, without a store ------------------------------------------------------------------------------------


def judge_all(chat: ChatEngine, cases: Iterator[JudgeCase], progress: Progress | None = None) -> list[JudgeVerdict]:
    results: list[JudgeVerdict] = []
    judge_captions(connected(chat), PROMPT, cases, results.append, progress or Progress(), 200)
    return results


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
    chat, progress, taken, threads = judge_that_says(judge_answer()), Counting(), itertools.count(), set[int]()
    chat.in_flight = 8
    chat.seconds = 0.001
    ahead: list[int] = []

    def cases() -> Iterator[JudgeCase]:
        for key in range(3_000):
            ahead.append(next(taken) - progress.done)
            yield judge_case_of(key)

    results: list[JudgeVerdict] = []

    def save(result: JudgeVerdict) -> None:
        threads.add(threading.get_ident())
        results.append(result)

    judge_captions(connected(chat), PROMPT, cases(), save, progress, 200)
    assert Counter(result.key for result in results) == Counter(range(3_000))
    assert progress.done == len(chat.history) == 3_000
    assert max(ahead) == 15 and 8 <= chat.most_running <= 16
    assert threads == {threading.get_ident()}, "a store need not be made for threads"
    assert chat.closed


def test_verdicts_are_kept_as_they_come() -> None:
    """Not only when as many are under way as may be, which here are 128."""
    chat, results = judge_that_says(judge_answer()), list[JudgeVerdict]()

    def slowly() -> Iterator[JudgeCase]:
        for key in range(100):
            if results:
                return
            time.sleep(0.01)
            yield judge_case_of(key)
        pytest.fail("nothing was results meanwhile")

    judge_captions(connected(chat), PROMPT, slowly(), results.append, Progress(), 200)
    assert len(results) == len(chat.history)


def test_captions_go_wrong_alone() -> None:
    def respond(message: str) -> str:
        if "ruptured" in message:
            raise ChatFailed("refused")
        return judge_answer("hallucinated" if "8 mm" in message else "supported")

    captions = ["6 mm nodule", "ruptured", "8 mm nodule", "6 mm nodule"]
    results = judge_all(
        FakeJudge(respond), (judge_case_of(key, caption=caption) for key, caption in enumerate(captions))
    )
    assert {result.key: result.verdict for result in results} == {
        0: Verdict.SUPPORTED,
        1: None,
        2: Verdict.HALLUCINATED,
        3: Verdict.SUPPORTED,
    }
    assert judge_all(judge_that_says(judge_answer()), iter(())) == []


def test_a_stopped_run_keeps_what_it_has() -> None:
    chat, progress, results = judge_that_says(judge_answer()), Counting(stop=30), list[JudgeVerdict]()
    with pytest.raises(Interrupted):
        judge_captions(connected(chat), PROMPT, map(judge_case_of, range(1_000)), results.append, progress, 200)
    assert len(results) == progress.done == 30 and chat.closed
    assert len(chat.history) < 1_000


def test_ctrl_c_is_heard_while_a_model_is_thinking() -> None:
    chat, checks = judge_that_says(judge_answer()), itertools.count()
    chat.seconds = 60.0

    class Impatient(Progress):
        def raise_if_interrupted(self) -> None:
            if next(checks) > 3:
                raise Interrupted

    with pytest.raises(Interrupted):
        judge_all(chat, iter([judge_case_of()]), Impatient())
    assert chat.closed and not chat.history


def test_an_engine_that_goes_down_ends_the_run_and_keeps_what_it_has() -> None:
    answers_given, results = itertools.count(), list[JudgeVerdict]()

    def down_after_20(message: str) -> str:
        if next(answers_given) >= 20:
            raise EngineDown("the server is gone")
        return judge_answer()

    chat = FakeJudge(down_after_20)
    with pytest.raises(RunError, match="the server is gone"):
        judge_captions(connected(chat), PROMPT, map(judge_case_of, range(100)), results.append, Progress(), 200)
    assert chat.closed and [result.key for result in results] == list(range(20))


def test_an_error_of_the_store_closes_the_engine() -> None:
    def full(result: JudgeVerdict) -> None:
        raise OSError("no space left")

    chat = judge_that_says(judge_answer())
    with pytest.raises(OSError, match="no space left"):
        judge_captions(connected(chat), PROMPT, map(judge_case_of, range(9)), full, Progress(), 200)
    assert chat.closed


def test_a_model_that_the_prompt_does_not_fit_into_is_not_asked() -> None:
    chat = judge_that_says(judge_answer())
    chat.context = 512
    with pytest.raises(InputError, match=r"the judge's prompt judge alone has about .* the model takes 512 in all"):
        judge_all(chat, iter([judge_case_of()]))
    assert chat.closed and not chat.history


# -- a real server -------------------------------------------------------------------------------------------------


def verdict_of(turns: Turns) -> str:
    return judge_answer("supported" if "6 mm" in turns[-1]["content"].rpartition("Caption: ")[2] else "hallucinated")


def test_a_server_of_bad_manners_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    with HostileServer(verdict_of, lambda request: fenced if request.number % 2 else answers) as hostile:
        model, connect = connection(model_options("openai", {"base_url": hostile.url}), lambda: None)
        assert model == "hostile-1"
        results: list[JudgeVerdict] = []
        captions = ["6 mm nodule", "8 mm nodule"] * 20
        cases = (judge_case_of(key, caption=caption) for key, caption in enumerate(captions))
        judge_captions(connect, PROMPT, cases, results.append, Progress(), 200)
        schema = hostile.log[0].body["response_format"]["json_schema"]["schema"]
    verdicts = {result.key: result.verdict for result in results}
    assert verdicts == {key: (Verdict.SUPPORTED, Verdict.HALLUCINATED)[key % 2] for key in range(40)}
    assert schema == PROMPT.schema and list(schema["properties"]) == ["passage", "why", "verdict"]


def test_a_server_that_knows_no_such_chat_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    with HostileServer(verdict_of, lambda request: fails(404, "no such model")) as hostile:
        settings = {"base_url": hostile.url, "model": "other"}
        model, connect = connection(model_options("openai", settings), lambda: None)
        assert model == "other" and not hostile.log
        with pytest.raises(RunError, match="correct --model"):
            judge_captions(connect, PROMPT, iter([judge_case_of()]), list[JudgeVerdict]().append, Progress(), 200)
