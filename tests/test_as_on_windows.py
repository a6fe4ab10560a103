"""Every command on a Windows that Linux plays: `as_on_windows.py` says what is played, and what is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(sys.platform != "linux", reason="it plays Windows on Linux")
def test_every_command_works_or_says_what_cannot(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.as_on_windows", str(tmp_path)],
        cwd=ROOT, env=os.environ | {"OVCT_CACHE": str(tmp_path / "cache"), "MPLBACKEND": "agg"},
        capture_output=True, text=True, encoding="utf-8", timeout=600,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.endswith("all called\n"), done.stdout + done.stderr
