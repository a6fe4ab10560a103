import subprocess
import sys
from pathlib import Path

import pytest

from curation.runtime.locks import LockedError, locked

HOLD = """
import sys, time
from pathlib import Path
from curation.runtime.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_and_the_kernel_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    holder = subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError) as error, locked(path):
            pass
        assert error.value.holder == f"process {holder.pid}" and path.read_text() == f"{holder.pid}\n"
    finally:
        holder.kill()
        holder.communicate()
    # At once, though the dead process has left its lease.
    with locked(path), pytest.raises(LockedError), locked(path):
        pass
    with locked(path) as held:
        held.raise_if_lost()
