"""Each write, rename, flush and close of a command fails once, or is where it is killed; then the same command again.

The output is what it was or whole, the message names the file and the way out, and what the second call ends with is
what an undisturbed one ends with, byte for byte. Every trial is a process; `file_faults.c` is below all of them.
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
SOURCE = Path(__file__).with_name("file_faults.c")
# Most trials of each command: seven faults of each operation would be some thousands.
OF_ALL, OF_EVERY_RUN = 150, 4
OF_ALL_TRAINING = 20
# Those of every run: a set, one joined, and a verdict.
ALWAYS = ("curate", "merge", "audit (a verdict)")


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer below the commands, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("layer") / "file_faults.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return library


def tried(layer: Path, folder: Path, trials: Trials, names: Sequence[str], number: int) -> None:
    """Make so many trials of each of these commands and count them."""
    environment = {
        **os.environ, "LD_PRELOAD": str(layer), "PYTHONPATH": str(ROOT), "COLUMNS": "1000", "NO_COLOR": "1",
        "OMP_NUM_THREADS": "1", "OVCT_FAULTS_SEED": str(SEED),
    }  # fmt: skip
    arguments = [sys.executable, "-m", "tests.faults.file_faults", str(folder), str(number), *names]
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0 and [line["command"] for line in lines] == list(names), done.stderr[-3000:]
    problems = []
    for line in lines:
        trial = trials[f"a file operation of `ovct {line['command']}` fails, or is where it is killed"]
        trial.tried += line["tried"]
        trial.survived += line["tried"] - len(line["wrong"])
        problems += [problem for found in line["wrong"] for problem in found]
    assert not problems, "\n".join(problems)


def test_files_of_curation(layer: Path, tmp_path: Path, trials: Trials) -> None:
    names = [command.name for command in CURATION if ALL or command.name in ALWAYS]
    tried(layer, tmp_path, trials, names, count(of_all=OF_ALL, of_every_run=OF_EVERY_RUN))


@pytest.mark.parametrize("name", [command.name for command in TRAINING])
def test_files_of_training(name: str, layer: Path, tmp_path: Path, trials: Trials) -> None:
    number = count(of_all=OF_ALL_TRAINING, of_every_run=0)
    if not number:
        pytest.skip("a call takes seconds: all of them by `make faults`")
    tried(layer, tmp_path, trials, [name], number)
