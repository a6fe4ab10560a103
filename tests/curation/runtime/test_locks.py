import subprocess
import sys
from pathlib import Path

import pytest

from curation.runtime.locks import LockedError, lock_file

HOLD = """
import sys, time
from curation.runtime.locks import lock_file
file = open(sys.argv[1], "a+")
lock_file(file)
print("held", flush=True)
time.sleep(60)
"""


def test_one_process_at_a_time_and_the_kernel_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    holder = subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with path.open("a+") as file, pytest.raises(LockedError) as error:
            lock_file(file)
        assert error.value.holder == str(holder.pid) and path.read_text() == f"{holder.pid}\n"
    finally:
        holder.kill()
        holder.communicate()
    with path.open("a+") as file:
        lock_file(file)
        with path.open("a+") as second_file, pytest.raises(LockedError):
            lock_file(second_file)
    with path.open("a+") as file:
        lock_file(file)
