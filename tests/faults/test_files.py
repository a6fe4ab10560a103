"""Each write, rename, flush and close of a command fails once, or is where it is killed; then the same command again.

The output is what it was or whole, the message names the file and the way out, and what the second call ends with is
what an undisturbed one ends with, byte for byte; where it is not, the rows are counted that are lost, doubled or let
in. Every trial is a process; `file_layer/file_faults.c` is below all of them, and where no C compiler is,
`file_layer/python_layer.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.commands import CURATION, TRAINING
from tests.faults.trials import ALL, SEED, Trials, count

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("file_layer") / "file_faults.c"
# Most trials of each command: seven faults of each operation would be some thousands.
OF_ALL, OF_EVERY_RUN = 150, 4
OF_ALL_TRAINING = 20
# Those of every run, in one process: a set, one joined, and a verdict. Of all, each command is a test of its own.
ALWAYS = ["curate", "merge", "audit (a verdict)"]
GROUPS = [[command.name] for command in CURATION] if ALL else [ALWAYS]


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The layer below the commands, compiled; None without a C compiler: what Python writes is tried all the same."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return None
    library = tmp_path_factory.mktemp("layer") / "file_faults.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return library


def tried(layer: Path | None, folder: Path, trials: Trials, names: Sequence[str], number: int) -> None:
    """Make so many trials of each of these commands and count them."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "1000", "NO_COLOR": "1", "OMP_NUM_THREADS": "1",
        "OVCT_FAULTS_SEED": str(SEED), **({"LD_PRELOAD": str(layer)} if layer else {}),
    }  # fmt: skip
    arguments = [sys.executable, "-m", "tests.faults.file_layer.file_faults", str(folder), str(number), *names]
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0 and [line["command"] for line in lines] == list(names), done.stderr[-3000:]
    problems = []
    for line in lines:
        what = "a file operation" if layer else "a file operation of Python"
        trial = trials[f"{what} in `ovct {line['command']}` fails, or is where it is killed"]
        trial.tried += line["tried"]
        trial.survived += line["tried"] - len(line["wrong"])
        trial.lost += line["lost"]
        trial.doubled += line["doubled"]
        trial.let_in += line["let_in"]
        problems += [problem for found in line["wrong"] for problem in found]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("names", GROUPS, ids=", ".join)
def test_files_of_curation(names: list[str], layer: Path | None, tmp_path: Path, trials: Trials) -> None:
    tried(layer, tmp_path, trials, names, count(of_all=OF_ALL, of_every_run=OF_EVERY_RUN))


@pytest.mark.parametrize("name", [command.name for command in TRAINING])
def test_files_of_training(name: str, layer: Path | None, tmp_path: Path, trials: Trials) -> None:
    number = count(of_all=OF_ALL_TRAINING, of_every_run=0)
    if not number:
        pytest.skip("a call takes seconds: all of them by `make faults`")
    tried(layer, tmp_path, trials, [name], number)


def test_files_without_a_compiler(tmp_path: Path, trials: Trials) -> None:
    tried(None, tmp_path, trials, ["curate"], count(of_all=40, of_every_run=4))
