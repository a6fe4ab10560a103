"""A run that is killed before a change of the disk goes on with the same command, and leaves nothing behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.kill_points import OPERATIONS
from tests.faults.trials import ALL, Trials, share

ROOT = Path(__file__).resolve().parents[2]


def kill_points(folder: Path, operation: str, *numbers: int) -> list[object]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.kill_points", str(folder), operation]
    done = subprocess.run([*command, *map(str, numbers)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("operation", list(OPERATIONS) if ALL else ["curate", "merge"])
def test_a_kill_before_each_change_of_the_disk(operation: str, tmp_path: Path, trials: Trials) -> None:
    (changes,) = kill_points(tmp_path, operation, 0)
    assert isinstance(changes, int) and changes > 10
    trial = trials[f"killed before a change of the disk: {operation}"]
    numbers = [number + 1 for number in share(of_all=changes, of_every_run=6)]
    for result in kill_points(tmp_path, operation, *numbers):
        assert isinstance(result, list)
        number, problem = result
        trial.tried += 1
        trial.survived += problem is None
        assert problem is None, f"before change {number} of {changes}: {problem}"
