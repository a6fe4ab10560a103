"""Pushing a caption set to a stand-in of the hub, and loading what was pushed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import ovct
from curation.caption_set.manifest import load_manifest
from curation.caption_set.work_folder import SetError
from curation.export.hub.push import Pushed, PushJob, push_set
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from tests.curation.audit.builders import open_audit, plain_reports, write_set

from .hub_server import TOKEN, HubServer

NAME = "someone/captions"
# Of the hub's client, as it hands a file to its HTTP client.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


@pytest.fixture(autouse=True)
def as_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Large files go as LFS has them, without the hub's other storage, and no token of this machine is used."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "captions", plain_reports(7, refused_each=1), reports_per_part=3)
    return tmp_path / "captions"


def push(hub: HubServer, root: Path, **options: Any) -> Pushed:
    job = PushJob(root, **{"repository": NAME, "token": TOKEN, "endpoint": hub.url, **options})
    return push_set(job, Progress())


def names_in(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_the_repository_has_the_files_of_the_set_in_one_commit(hub: HubServer, root: Path) -> None:
    pushed = push(hub, root)
    repository = hub.repositories[NAME]
    files = repository.files()
    assert files.keys() - {".gitattributes"} == names_in(root) | {"README.md"}
    assert all(files[name] == (root / name).read_bytes() for name in names_in(root))
    assert pushed.commit == repository.branches["main"] and len(repository.commits) == 2 and not pushed.private
    assert (pushed.files, pushed.present, pushed.removed) == (len(files) - 1, 0, 0)
    assert repository.messages[-1] == f"Caption set {load_manifest(root).identity()[:12]} by ovct 0.1.0"
    assert sorted(path for path in files if path.endswith(".parquet"))[0] == "captions/part-00000.parquet"


def test_pushed_again_nothing_is_sent(hub: HubServer, root: Path) -> None:
    push(hub, root)
    uploaded, commits = list(hub.uploaded), len(hub.repositories[NAME].commits)
    again = push(hub, root)
    assert again.commit is None and again.files == 0 and again.present == len(names_in(root) | {"README.md"})
    assert hub.uploaded == uploaded and len(hub.repositories[NAME].commits) == commits


def test_a_push_that_broke_off_shows_nothing_and_goes_on(hub: HubServer, root: Path) -> None:
    calls = []

    def fault(method: str, path: str) -> int | None:
        calls.append(path)
        return 503 if "/commit/" in path else None

    hub.fault = fault
    with pytest.raises(RunError, match="run the same command again"):
        push(hub, root)
    assert hub.repositories[NAME].files().keys() == {".gitattributes"} and len(hub.uploaded) == 9
    hub.fault = lambda method, path: None
    assert push(hub, root).files == len(names_in(root) | {"README.md"})
    assert len(hub.uploaded) == 9  # nothing twice


def test_a_smaller_set_replaces_a_larger_one(hub: HubServer, root: Path, tmp_path: Path) -> None:
    hub.add(NAME, {"notes.txt": b"mine"})
    push(hub, root)
    write_set(tmp_path / "smaller", plain_reports(3, refused_each=1), reports_per_part=3)
    pushed = push(hub, tmp_path / "smaller")
    files = hub.repositories[NAME].files()
    assert pushed.removed == 6 and files["notes.txt"] == b"mine"
    assert [name for name in files if name.startswith("captions/")] == ["captions/part-00000.parquet"]


def test_what_is_of_another_hand_stays_unless_it_is_said(hub: HubServer, root: Path) -> None:
    repository = hub.add(NAME, {"README.md": b"# Mine\n"})
    with pytest.raises(InputError, match=r"has a README\.md of its own and holds no caption set.*--overwrite"):
        push(hub, root)
    assert len(repository.commits) == 1
    push(hub, root, overwrite=True)
    assert b"# Organ captions" in repository.files()["README.md"]
    hub.add("someone/tables", {"captions/mine.parquet": b"x"})
    with pytest.raises(InputError, match=r"captions/mine\.parquet is no part of a caption set"):
        push(hub, root, repository="someone/tables", overwrite=True)


def test_private_means_private(hub: HubServer, root: Path) -> None:
    assert push(hub, root, private=True).private and hub.repositories[NAME].private
    hub.add("someone/public")
    with pytest.raises(InputError, match=r"public is public: make it private"):
        push(hub, root, repository="someone/public", private=True)


def test_a_branch_is_made(hub: HubServer, root: Path) -> None:
    pushed = push(hub, root, revision="v2")
    repository = hub.repositories[NAME]
    assert repository.branches["v2"] == pushed.commit and repository.files().keys() == {".gitattributes"}
    assert push(hub, root, revision="v2").commit is None


def test_an_unfinished_or_damaged_set_is_refused(hub: HubServer, root: Path) -> None:
    part = root / "captions" / "part-00001.parquet"
    content = part.read_bytes()
    part.write_bytes(content[:-1] + b"X")
    with pytest.raises(SetError, match="sha256 has changed"):
        push(hub, root)
    part.write_bytes(content)
    load_manifest(root).model_copy(update={"complete": False}).save(root)
    with pytest.raises(SetError, match="unfinished"):
        push(hub, root)
    assert not hub.requests


def test_names_dates_and_numbers_stop_a_push(hub: HubServer, root: Path, tmp_path: Path) -> None:
    rows = [(replace(report, text=f"{report.text} Discussed with Dr. Jane Miller on 12.03.2021."), captions, rejects)
            for report, captions, rejects in plain_reports(2)]  # fmt: skip
    write_set(tmp_path / "named", rows)
    with pytest.raises(
        InputError, match=r"was not pushed: names, dates or numbers[\s\S]*reports\.text[\s\S]*--allow-phi"
    ):
        push(hub, tmp_path / "named")
    assert not hub.requests
    assert push(hub, tmp_path / "named", allow_phi=True).files


def test_the_audit_stays_here(hub: HubServer, root: Path) -> None:
    with open_audit(root, "ann"):
        pass
    (root / "audit" / "score.png").write_bytes(b"picture")
    push(hub, root)
    assert [name for name in hub.repositories[NAME].files() if name.startswith("audit/")] == ["audit/score.png"]


def test_a_card_by_hand_goes_as_it_is_if_it_can_be_loaded_by(hub: HubServer, root: Path) -> None:
    push(hub, root)
    card = hub.repositories[NAME].files()["README.md"].decode()
    (root / "README.md").write_text(card.replace("# Organ captions", "# Our captions"))
    push(hub, root)
    assert b"# Our captions" in hub.repositories[NAME].files()["README.md"]
    for text in ("# Ours\n", "---\nlicense: mit\n---\n# Ours\n", "---\n: [\n---\n"):
        (root / "README.md").write_text(text)
        with pytest.raises(InputError, match=r"README\.md: its front matter has no entry of `configs`"):
            push(hub, root)


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, InputError, "does not let us.*hf auth login"),
        (403, InputError, "does not let us"),
        (400, InputError, "the hub refuses it"),
        (412, RunError, "was changed meanwhile"),
        (500, RunError, "run the same command again"),
    ],
)
def test_errors_of_the_hub_say_what_to_do_and_show_no_token(
    hub: HubServer, root: Path, status: int, error: type[Exception], message: str
) -> None:
    hub.fault = lambda method, path: status if "/commit/" in path else None
    with pytest.raises(error, match=message) as caught:
        push(hub, root)
    assert TOKEN not in str(caught.value)


def test_a_wrong_token_and_no_server(hub: HubServer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="does not let us") as caught:
        push(hub, root, token="hf_wrong")
    assert "hf_wrong" not in str(caught.value)
    with pytest.raises(RunError, match="cannot be reached"):
        push(hub, root, endpoint="http://127.0.0.1:9")
    for token, message in [("env:NOT_THERE", "no variable NOT_THERE"), ("a b", "one word"), ("", "one word")]:
        with pytest.raises(InputError, match=message):
            push(hub, root, token=token)
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    assert push(hub, root, token="env:MY_TOKEN").commit
    with pytest.raises(InputError, match="is called USER/NAME"):
        push(hub, root, repository="captions")
    assert TOKEN not in repr(PushJob(root, NAME, token=TOKEN))


def test_another_push_in_between_is_noticed(hub: HubServer, root: Path) -> None:
    def fault(method: str, path: str) -> int | None:
        if "/commit/" in path:
            hub.repositories[NAME].commit("main", {"theirs": b""}, "another")
        return None

    hub.fault = fault
    with pytest.raises(RunError, match="was changed meanwhile"):
        push(hub, root)
    assert hub.repositories[NAME].files() == {"theirs": b""}


def test_stopped_in_the_middle(hub: HubServer, root: Path) -> None:
    class Stopping(Progress):
        def advance(self) -> None:
            self.stopped = True

        def raise_if_interrupted(self) -> None:
            if getattr(self, "stopped", False):
                raise Interrupted

    with pytest.raises(Interrupted):
        push_set(PushJob(root, NAME, token=TOKEN, endpoint=hub.url), Stopping())
    assert hub.repositories[NAME].files().keys() == {".gitattributes"}


LOAD = f"""
import datasets, json
sets = {{name: datasets.load_dataset("{NAME}", name, split="train") for name in ("captions", "rejects", "reports")}}
default = datasets.load_dataset("{NAME}")
print(json.dumps([{{name: rows.num_rows for name, rows in sets.items()}}, default["train"].column_names,
                  default["train"][0]["caption"], list(default)]))
"""


def test_the_command_pushes_and_load_dataset_loads(hub: HubServer, root: Path, tmp_path: Path) -> None:
    home = {"HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}
    environment = {**os.environ, **home, "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(Path(ovct.__file__).parent)}
    script = "import sys, ovct; sys.argv[0] = 'ovct'; ovct.main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "push", str(root), NAME, "--private"],
        env=environment, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{hub.url}/datasets/{NAME} (private): 11 files" in done.stdout and TOKEN not in done.stdout + done.stderr
    assert f'load_dataset("{NAME}") loads the captions' in done.stdout
    loaded = subprocess.run([sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert loaded.returncode == 0, loaded.stderr
    rows, columns, first, splits = json.loads(loaded.stdout.splitlines()[-1])
    captions = pq.read_table(root / "captions")
    assert rows == {"captions": 21, "rejects": 7, "reports": 7} and splits == ["train"]
    assert columns == captions.column_names and first == captions["caption"][0].as_py()


def test_wrong_calls(root: Path) -> None:
    refused = CliRunner().invoke(ovct.app, ["push", "hf://datasets/a/b", NAME])
    assert refused.exit_code == 2 and "copy the set to this machine" in refused.output
    refused = CliRunner().invoke(ovct.app, ["push", str(root / "none"), NAME])
    assert refused.exit_code == 2 and "holds no caption set" in refused.output
