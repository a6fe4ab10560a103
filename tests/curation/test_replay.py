"""A caption set made anew from stored answers: the same rows, or nothing is changed."""

from pathlib import Path

import pytest

from curation.caption_set.manifest import ManifestError
from curation.caption_set.set_files import PROMPT_FILE
from curation.engines.chat import Answer, ChatFailed
from curation.pipeline import curate
from curation.replay import replay
from curation.runtime.errors import InputError, Interrupted
from tests.curation.fakes import PROMPT, FakeChat, fake_recipe, sentences
from tests.curation.llm.chat_sets import StopAfter, files, job, refusing, run


def test_a_replay_that_was_killed_is_made_good_by_another(tmp_path: Path) -> None:
    run(tmp_path, FakeChat())
    root = tmp_path / "set"
    files_before = files(root)
    (root / "captions" / "part-00000.parquet").write_bytes(b"half")
    with pytest.raises(ValueError, match="verify --replay"):
        run(tmp_path, FakeChat())
    replay(root)
    assert files(root) == files_before


def test_another_prompt_than_was_asked_with_is_no_replay(tmp_path: Path) -> None:
    run(tmp_path, FakeChat())
    (tmp_path / "set" / PROMPT_FILE).write_bytes(PROMPT + b"# edited")
    with pytest.raises(ValueError, match=r"prompt\.yaml is not the prompt"):
        replay(tmp_path / "set")


@pytest.mark.parametrize("count", [40, 230])
def test_a_replay_gives_what_a_run_gives(tmp_path: Path, count: int) -> None:
    def mixed(message: str) -> str | Answer:
        if "7 mm" in message:
            raise ChatFailed("500")
        if "8 mm" in message:
            return Answer(sentences(message)[:-9], "length", 9, 9)
        return "no" if "9 mm" in message else refusing(message)

    root = tmp_path / "set"
    before = run(tmp_path, FakeChat(mixed), repair=1, count=count).manifest
    files_before = files(root)
    for path in [*(root / "captions").iterdir(), *(root / "rejects").iterdir()]:
        path.write_bytes(b"lost")
    after = replay(root)
    assert files(root) == files_before
    assert after.counts == before.counts and after.parts == before.parts and after.replayed is not None
    assert run(tmp_path, FakeChat(mixed), repair=1, count=count).already_done


def test_a_replay_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, FakeChat())
    root = tmp_path / "set"
    files_before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(Interrupted):
        replay(root, StopAfter(20))
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == files_before


def test_what_cannot_be_replayed_is_said(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no caption set"):
        replay(tmp_path)
    curate(job(tmp_path, out="rules"), fake_recipe())
    with pytest.raises(InputError, match="keeps no answers"):
        replay(tmp_path / "rules")
    with pytest.raises(Interrupted):
        run(tmp_path, FakeChat(), StopAfter(20), count=200)
    with pytest.raises(ValueError, match="unfinished"):
        replay(tmp_path / "set")
    run(tmp_path, FakeChat(), count=200)
    (tmp_path / "set" / "responses" / "part-00001.parquet").unlink()
    with pytest.raises(ValueError, match=r"responses/part-00001.parquet is missing"):
        replay(tmp_path / "set")
