"""Caption sets by a language model, from reports to shards, with a model that is not one."""

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from curation.caption_set.manifest import load_manifest
from curation.caption_set.set_files import PROMPT_FILE
from curation.engines.chat import ChatFailed, EngineDown
from curation.llm.pool import ChatRecipe
from curation.llm.usage import Prices
from curation.pipeline import curate
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from tests.curation.fakes import PROMPT, FakeChat, answer, chat_recipe, sentences
from tests.curation.llm.chat_sets import StopAfter, files, job, refusing, rows, run


def test_each_report_ends_in_captions_or_rejects(tmp_path: Path) -> None:
    chat = FakeChat()
    manifest = run(tmp_path, chat).manifest
    root = tmp_path / "set"
    ids = [row["report_id"] for row in rows(root, "reports")]
    assert len(ids) == 40
    for table in ("captions", "responses"):
        assert list(dict.fromkeys(row["report_id"] for row in rows(root, table))) == ids, "each, in the input's order"
    assert {(row["engine"], row["model"], row["prompt"]) for row in rows(root, "captions")} == {
        ("fake", "fake-1", chat_recipe(chat).prompt.hash)
    }
    assert (root / PROMPT_FILE).read_bytes() == PROMPT
    assert len(chat.history) == 40 and chat.closed
    assert manifest.usage is not None and manifest.usage.questions == 40 and manifest.usage.prompt_tokens == 4_000
    assert [part.responses for part in manifest.parts] == [15, 15, 10]
    assert manifest.settings.options == {"max_tokens": 500, "repair": 0}


def test_equal_reports_are_asked_about_once(tmp_path: Path) -> None:
    chat = FakeChat()
    result = curate(job(tmp_path, 40, distinct=7), chat_recipe(chat))
    assert len(chat.history) == 7
    assert len(rows(tmp_path / "set", "responses")) == 40, "each report has its answer beside it"
    assert result.manifest.usage is not None and result.manifest.usage.prompt_tokens == 700


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    curate(job(tmp_path, 230, per_part=100), chat_recipe(FakeChat()))
    curate(replace(job(tmp_path, 230, out="one", per_part=100), limit=230, workers=1), chat_recipe(FakeChat()))
    assert files(tmp_path / "set") == files(tmp_path / "one")


def test_a_stopped_run_does_not_ask_again_for_what_it_has(tmp_path: Path) -> None:
    first, second = FakeChat(), FakeChat()
    with pytest.raises(Interrupted):
        run(tmp_path, first, StopAfter(20), count=200)
    assert first.closed and 0 < load_manifest(tmp_path / "set").counts.reports < 100
    manifest = run(tmp_path, second, count=200).manifest
    messages = [chat.messages[-1].content for chat in first.history + second.history]
    assert len(messages) == len(set(messages)) == 200
    assert manifest.usage is not None and manifest.usage.questions == 200
    curate(job(tmp_path, 200, out="whole"), chat_recipe(FakeChat()))
    assert files(tmp_path / "set") == files(tmp_path / "whole")


def test_an_engine_that_goes_down_leaves_what_it_said(tmp_path: Path) -> None:
    counter = itertools.count()

    def down_after_20(message: str) -> str:
        if next(counter) >= 20:
            raise EngineDown("the server is gone; run the same command again")
        return sentences(message)

    with pytest.raises(RunError, match="the server is gone"):
        run(tmp_path, FakeChat(down_after_20))
    second = FakeChat()
    run(tmp_path, second)
    assert len(second.history) == 20


def test_one_bad_report_harms_no_other(tmp_path: Path) -> None:
    def not_seven(message: str) -> str:
        if "lesion of 7 mm" in message:
            raise ChatFailed("500 six times")
        return sentences(message)

    run(tmp_path, FakeChat(not_seven))
    failed = [row for row in rows(tmp_path / "set", "rejects") if row["reason"] == "engine_error"]
    assert [(row["report_id"], row["detail"]) for row in failed] == [("scan_7.nii.gz", "500 six times")]
    assert len({row["report_id"] for row in rows(tmp_path / "set", "captions")}) == 39


def test_a_model_that_fails_on_everything_stops_the_run(tmp_path: Path) -> None:
    def fail(message: str) -> str:
        raise ChatFailed("400")

    with pytest.raises(RunError, match="failed on every report"):
        run(tmp_path, FakeChat(fail))


def test_a_window_that_fails_in_every_report_does_not_stop_the_run(tmp_path: Path) -> None:
    def no_lesions(message: str) -> str:
        if "lesion" in message.lower():
            raise ChatFailed("400")
        return sentences(message)

    by_statement = PROMPT.replace(b"unit: report", b"unit: statement\nwindow: 1")
    curate(job(tmp_path), chat_recipe(FakeChat(no_lesions), by_statement))
    assert len({row["report_id"] for row in rows(tmp_path / "set", "captions")}) == 40


def test_a_finished_set_is_asked_again_for_what_is_missing_alone(tmp_path: Path) -> None:
    def not_seven(message: str) -> str:
        if "lesion of 7 mm" in message:
            raise ChatFailed("500")
        return sentences(message)

    run(tmp_path, FakeChat(not_seven))
    again = FakeChat()
    curate(replace(job(tmp_path), overwrite=True), chat_recipe(again))
    assert len(again.history) == 1
    curate(job(tmp_path, out="whole"), chat_recipe(FakeChat()))
    assert files(tmp_path / "set") == files(tmp_path / "whole")
    assert not (tmp_path / "set" / ".work").exists()


def test_a_model_that_makes_no_sense_does_not(tmp_path: Path) -> None:
    run(tmp_path, FakeChat(lambda message: "As a language model"))
    assert [row["reason"] for row in rows(tmp_path / "set", "rejects")] == ["schema"] * 40


def test_what_cannot_start_leaves_no_folder_behind(tmp_path: Path) -> None:
    async def connect() -> FakeChat:
        raise InputError("no server answers")

    threads = threading.active_count()
    with pytest.raises(InputError, match="no server"):
        curate(job(tmp_path), replace(chat_recipe(FakeChat()), connect=connect))
    assert not (tmp_path / "set").exists() and threading.active_count() == threads


def test_a_context_that_cannot_hold_the_prompt_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lower --max-tokens"):
        run(tmp_path, FakeChat(context=510))
    assert not (tmp_path / "set").exists()
    run(tmp_path, FakeChat(context=700))


def test_a_finished_set_needs_no_model(tmp_path: Path) -> None:
    run(tmp_path, FakeChat())

    async def connect() -> FakeChat:
        raise AssertionError("connected")

    assert curate(job(tmp_path), replace(chat_recipe(FakeChat()), connect=connect)).already_done


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda recipe: replace(recipe, max_tokens=77), "max_tokens 77"),
        (lambda recipe: replace(recipe, repair=2), "repair 2"),
        (lambda recipe: replace(recipe, made_by=recipe.made_by._replace(model="other")), "other"),
        (lambda recipe: replace(recipe, made_by=recipe.made_by._replace(prompt="f" * 64)), "prompt"),
    ],
)
def test_other_settings_do_not_go_on(tmp_path: Path, change: Callable[[ChatRecipe], ChatRecipe], named: str) -> None:
    run(tmp_path, FakeChat())
    with pytest.raises(ValueError, match=named):
        curate(job(tmp_path), change(chat_recipe(FakeChat())))


def test_refused_captions_go_back_once(tmp_path: Path) -> None:
    chat = FakeChat(refusing)
    manifest = run(tmp_path, chat, repair=2).manifest
    assert len(chat.history) == 80, "each refused caption once, however many rounds there may be"
    counts = manifest.counts
    assert counts.returned == 40 and 0 < counts.repaired <= 40
    captions = [row["caption"] for row in rows(tmp_path / "set", "captions")]
    assert captions.count("Kidney is of normal size") == counts.repaired
    assert len([row for row in rows(tmp_path / "set", "rejects") if "stone" in str(row["caption"])]) == 40
    assert manifest.usage is not None and manifest.usage.repairs == 40
    assert [row["kind"] for row in rows(tmp_path / "set", "responses")] == ["question", "repair"] * 40


def test_costs_are_in_the_manifest(tmp_path: Path) -> None:
    recipe = replace(chat_recipe(FakeChat()), prices=Prices(1.0, 2.0))
    usage = curate(job(tmp_path), recipe).manifest.usage
    assert usage is not None
    assert usage.cost == pytest.approx((usage.prompt_tokens + 2 * usage.completion_tokens) / 1e6)
    stored = json.loads((tmp_path / "set" / "manifest.json").read_text())["usage"]
    assert stored["cost"] == usage.cost and stored["tokens_per_second"] > 0


def test_a_fallen_accept_rate_is_said(tmp_path: Path) -> None:
    class RecordedMessages(Progress):
        messages: list[str] = []  # noqa: RUF012 -- one progress

        def message(self, what: str) -> None:
            self.messages.append(what)

    counter = itertools.count()

    def goes_astray(message: str) -> str:
        good = next(counter) < 150
        return sentences(message) if good else answer([("spleen", f"Mass of {n} cm") for n in range(4)])

    progress = RecordedMessages()
    curate(job(tmp_path, 600, per_part=1_000), chat_recipe(FakeChat(goes_astray)), progress)
    assert len(progress.messages) == 1 and "were accepted" in progress.messages[0]
