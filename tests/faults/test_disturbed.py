"""Two runs at once, a folder that goes, an input that changes, a clock that goes back: it is told, nothing is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.faults.disturbed_runs import DISTURBANCES
from tests.faults.trials import Trials, share

ROOT = Path(__file__).resolve().parents[2]


def test_runs_that_are_disturbed(tmp_path: Path, trials: Trials) -> None:
    numbers = share(of_all=20, of_every_run=1)
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.disturbed_runs", str(tmp_path / "trial")]
    environment = os.environ | {"COLUMNS": "1000", "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    arguments = [*command, ",".join(map(str, numbers)), *DISTURBANCES]
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(results) == len(numbers) * len(DISTURBANCES)
    for result in results:
        disturbance = result["disturbance"]
        trial = trials[f"`ovct {DISTURBANCES[disturbance][0]}`: {disturbance}"]
        trial.tried += 1
        trial.survived += not result["problems"]
        trial.lost += result["lost"]
        trial.doubled += result["doubled"]
        trial.let_in += result["let_in"]
    assert not any(result["problems"] for result in results), [result for result in results if result["problems"]]
