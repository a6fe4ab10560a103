import os
import subprocess
import sys
from pathlib import Path

import pytest

import curation.runtime.locks
from curation.runtime.errors import RunError
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


LEASE = "filelock/2\npid=12\nhost=node7\nmode=lease\ntoken=" + "0" * 32 + "\nduration=0.5\n"


@pytest.fixture
def of_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock whose lease another machine holds, and of whose processes this one sees nothing."""
    monkeypatch.setattr(curation.runtime.locks, "LEASE_SECONDS", 0.5)
    monkeypatch.setattr(curation.runtime.locks, "POLL_SECONDS", 0.01)
    (tmp_path / "lock.lease").write_text(LEASE)
    return tmp_path / "lock"


def test_another_machine_that_lives_keeps_its_lock(of_another_machine: Path) -> None:
    lease, times = of_another_machine.with_name("lock.lease"), iter(range(2_000_000_000, 2_000_001_000))

    def touch() -> None:  # as its holder does; the time of day there may be any
        os.utime(lease, (0, next(times)))

    with pytest.raises(LockedError) as error, locked(of_another_machine, touch):
        pass
    assert error.value.holder == "process 12 on node7" and lease.read_text() == LEASE


@pytest.mark.parametrize("content", [LEASE, ""])
def test_a_lease_that_nobody_touches_is_taken_over(
    of_another_machine: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curation.runtime.locks, "UNWRITTEN_SECONDS", 0.1)
    of_another_machine.with_name("lock.lease").write_text(content)
    with locked(of_another_machine) as held:
        held.raise_if_lost()


def test_a_lock_that_is_gone_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "set" / ".work").mkdir(parents=True)
    path = tmp_path / "set" / ".work" / "lock"
    with locked(path) as held:
        path.unlink()
        with pytest.raises(RunError, match="set was removed, or moved"):
            held.raise_if_lost()
        path.write_text("999\n")
        with pytest.raises(RunError, match="was taken over by another run"):
            held.raise_if_lost()


def test_a_lease_that_another_machine_has_given_back_is_lost(tmp_path: Path) -> None:
    """At once: the lease's own thread looks every few seconds."""
    path = tmp_path / "lock"
    with locked(path) as held:
        held.raise_if_lost()
        path.with_name("lock.lease").unlink()
        with pytest.raises(RunError, match="was taken over by another run"):
            held.raise_if_lost()
        path.with_name("lock.lease").write_text(LEASE)
        with pytest.raises(RunError, match="was taken over by another run"):
            held.raise_if_lost()
