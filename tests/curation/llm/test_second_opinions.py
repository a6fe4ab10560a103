"""Caption sets with second opinions: asked, counted apart, resumed after a kill, and replayed without the model."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from curation.caption_set.card import data_card
from curation.caption_set.figures import set_figures
from curation.caption_set.manifest import Manifest, load_manifest
from curation.caption_set.stats import bases_told, count_set
from curation.engines.chat import Answer, ChatFailed
from curation.llm.pool import ChatRecipe, SecondModel
from curation.llm.recipes import model_options
from curation.pipeline import CurateJob, curate
from curation.replay import replay
from curation.runtime.errors import InputError, Interrupted
from tests.curation.fakes import FakeChat, answer, chat_recipe
from tests.curation.llm.chat_sets import StopAfter, files, rows

COUNT = 30


def is_opinion(message: str) -> bool:
    return message.startswith("Passage: ")


def respond(message: str) -> str | Answer:
    """Words one finding in its own way; of every third report it says that the words mean the same."""
    if is_opinion(message):
        same = int(message.split(" mm")[0].split()[-1]) % 3 == 0
        words = [{"caption": "Smudgy", "report": "stranded" if same else ""}]
        return json.dumps({"words": words, "answer": "yes" if same else "no"})
    number = message.split(" mm")[0].split()[-1]
    captions = [("mesentery", f"Smudgy mesenteric fat, {number} mm"), ("liver", "The liver is normal")]
    return answer([*captions, ("spleen", "The spleen is torn")])


def job(folder: Path, out: str = "set", count: int = COUNT) -> CurateJob:
    reports = folder / "reports.csv"
    with reports.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["VolumeName", "Findings_EN"])
        for n in range(count):
            table.writerow([f"scan_{n}", f"{n + 10} mm of the mesenteric fat are stranded. The liver is normal."])
    return CurateJob(reports, folder / out, workers=1, reports_per_part=15)


def recipe(chat: FakeChat, second: FakeChat | None = None) -> ChatRecipe:
    async def connect() -> FakeChat:
        assert second is not None
        return second

    return replace(chat_recipe(chat), second=SecondModel("openai: m", connect if second else None))


def test_a_yes_is_recorded_and_counted_apart(tmp_path: Path) -> None:
    chat = FakeChat(respond)
    manifest = curate(job(tmp_path), recipe(chat)).manifest
    assert len(chat.history) == 2 * COUNT, "about each report, and about one caption of it"
    by_model = [row for row in rows(tmp_path / "set", "captions") if row["basis"] == "model"]
    assert len(by_model) == COUNT // 3 and all("Smudgy" in str(row["caption"]) for row in by_model)
    assert manifest.counts.bases == {"model": COUNT // 3}
    assert manifest.usage is not None and manifest.usage.opinions == COUNT
    kept = [row for row in rows(tmp_path / "set", "responses") if row["kind"] == "opinion"]
    assert len(kept) == COUNT
    assert {(row["opinion_by"], row["organ"]) for row in kept} == {("openai: m", "mesentery")}
    assert manifest.settings.options["second_opinion"] == "openai: m"
    summary = count_set(tmp_path / "set")
    assert summary.bases == {"model": COUNT // 3}
    assert set_figures(summary, "set").captions_by_basis == {"model": COUNT // 3}
    card = data_card(manifest)
    assert "10 by a second opinion about a word" in card and "its `basis` is `model`" in card


def test_off_by_default(tmp_path: Path) -> None:
    chat = FakeChat(respond)
    manifest = curate(job(tmp_path), chat_recipe(chat)).manifest
    assert len(chat.history) == COUNT and manifest.counts.bases == {}
    assert bases_told(manifest.counts.bases) == "" and "second opinion" not in data_card(manifest)


def test_another_model_is_asked_where_one_is_named(tmp_path: Path) -> None:
    chat, second = FakeChat(respond), FakeChat(respond)
    curate(job(tmp_path), recipe(chat, second))
    assert not any(is_opinion(asked.messages[-1].content) for asked in chat.history)
    assert len(second.history) == COUNT and chat.closed and second.closed


def test_a_replay_without_the_model_gives_the_same_rows(tmp_path: Path) -> None:
    before = curate(job(tmp_path), recipe(FakeChat(respond))).manifest
    files_before = files(tmp_path / "set")
    after = replay(tmp_path / "set")
    assert files(tmp_path / "set") == files_before and after.counts == before.counts


def test_a_run_that_was_stopped_asks_nothing_twice(tmp_path: Path) -> None:
    count = 200
    first = FakeChat(respond)
    with pytest.raises(Interrupted):
        curate(job(tmp_path, count=count), recipe(first), StopAfter(20))
    second = FakeChat(respond)
    curate(job(tmp_path, count=count), recipe(second))
    asked = [chat.messages[-1].content for chat in (*first.history, *second.history)]
    assert len(asked) == len(set(asked)) == 2 * count
    curate(job(tmp_path, "fresh", count), recipe(FakeChat(respond)))
    assert files(tmp_path / "set", "captions", "rejects") == files(tmp_path / "fresh", "captions", "rejects")


def test_errors_of_the_server_leave_the_refusals(tmp_path: Path) -> None:
    def failing(message: str) -> str | Answer:
        if is_opinion(message):
            raise ChatFailed("500")
        return respond(message)

    manifest = curate(job(tmp_path), recipe(FakeChat(failing))).manifest
    assert manifest.counts.bases == {} and manifest.counts.rejects["not_grounded"] == 2 * COUNT
    assert manifest.usage is not None and manifest.usage.failures == COUNT
    errors = [row["error"] for row in rows(tmp_path / "set", "responses") if row["kind"] == "opinion"]
    assert errors == ["500"] * COUNT


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"second_model": "m"}, "--second-model: say --second-opinion"),
        ({"second_base_url": "http://x"}, "--second-base-url: say --second-opinion"),
        ({"second_opinion": "rules"}, "there are vllm and openai"),
        ({"second_opinion": "vllm", "second_base_url": "http://x"}, "--second-base-url: of no use"),
    ],
)
def test_options_that_do_not_go_together(given: dict[str, str], named: str) -> None:
    with pytest.raises(InputError, match=named):
        model_options("openai", given)


def test_a_set_of_an_earlier_version_is_read_without_counts_by_basis(tmp_path: Path) -> None:
    curate(job(tmp_path), chat_recipe(FakeChat(respond)))
    path = tmp_path / "set" / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["counts"]["bases"], content["usage"]["opinions"]
    path.write_text(json.dumps(content), encoding="utf-8")
    manifest: Manifest = load_manifest(tmp_path / "set")
    assert manifest.counts.bases == {} and manifest.usage is not None and manifest.usage.opinions == 0
