"""A judge's verdicts on a sample: asked once each, kept as they come, shown in the summary"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from curation.audit.drawing import Wanted
from curation.audit.judged_sample import JudgeRun, judge_sample
from curation.audit.store import Store
from curation.audit.summary import summarise
from curation.engines.chat import ChatEngine, ChatFailed
from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from prompts.judge_file import load_judge
from tests.curation.audit.making import opened, plain, say_all, write_set
from tests.curation.fakes import FakeChat


def verdict(what: str) -> str:
    return json.dumps({"passage": "The liver is normal.", "why": "because", "verdict": what})


def connected(chat: FakeChat) -> Callable[[], Awaitable[ChatEngine]]:
    async def connect() -> ChatEngine:
        return chat

    return connect


def run(store: Store, chat: FakeChat, progress: Progress | None = None) -> JudgeRun:
    return judge_sample(store, "llm-1", connected(chat), load_judge(), None, progress or Progress())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain(10, refused_each=1))
    return tmp_path / "set"


def test_each_caption_is_asked_about_once_and_reports_stay_together(root: Path) -> None:
    with opened(root, wanted=Wanted(30, 10)) as store:
        chat = FakeChat(lambda _: verdict("supported"))
        done = run(store, chat)
        assert (done.judged, done.known, done.failed) == (40, 0, 0)
        reports = [message.split("mm cyst")[0] for message in (one.messages[-1].content for one in chat.history)]
        changes = sum(one != two for one, two in pairwise(reports))
        assert changes == 9
        again = run(store, chat)
        assert (again.judged, again.known) == (0, 40) and len(chat.history) == 40
        assert store.value("SELECT judge FROM judgement").startswith("llm-1, judge ")


def test_what_got_no_verdict_is_asked_again(root: Path) -> None:
    def fails(message: str) -> str:
        if "Organ: spleen" in message:
            raise ChatFailed("no luck")
        return verdict("hallucinated")

    with opened(root, wanted=Wanted(30)) as store:
        done = run(store, FakeChat(fails))
        assert (done.judged, done.failed) == (20, 10) and "no luck" in (done.problem or "")
        done = run(store, FakeChat(lambda _: verdict("supported")))
        assert (done.judged, done.known, done.failed) == (10, 20, 0)


def test_a_stopped_run_keeps_what_it_has(root: Path) -> None:
    class Stops(Progress):
        done = 0

        def advance(self) -> None:
            self.done += 1

        def raise_if_interrupted(self) -> None:
            if self.done >= 5:
                raise Interrupted

    with opened(root, wanted=Wanted(30)) as store:
        with pytest.raises(Interrupted):
            run(store, FakeChat(lambda _: verdict("supported")), Stops())
        kept = store.value("SELECT count(*) FROM judgement")
        assert kept >= 5
        assert run(store, FakeChat(lambda _: verdict("supported"))).known == kept


def test_its_agreement_with_people_is_in_the_summary(root: Path) -> None:
    with opened(root, wanted=Wanted(30)) as store:
        assert summarise(store, "g").judges == ()
        run(store, FakeChat(lambda message: verdict("hallucinated" if "Organ: liver" in message else "supported")))
        say_all(store, "ann", ["supported"] * 30)
        (found,) = summarise(store, "g").judges
        assert (found.first, found.reviewed, found.percent.hits) == ("reviewers", 30, 20)
        assert summarise(store, "g").hallucination.hits == 0  # a judge decides nothing
