"""Preparing in parallel: who prepares which case, what all ranks get of it, and what becomes of a process that dies."""

import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from curation.runtime.errors import Interrupted, RunError
from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from tests.train.data.data_files import box, totalsegmentator
from train.data.cases import Case
from train.data.dataset import open_dataset, read_case
from train.data.preparing import in_parallel, prepared
from train.data.preparing.in_parallel import CasePreparer, OneRank, Outcome, prepare_cases
from train.data.preparing.prepared import PreparedCases
from train.scans.scan import Scan

SAME = Preprocessing(spacing_mm=(3, 2, 2), orientation="SAR", normalisation="zscore")
CASES = [Case(f"s{number}", f"p{number}", f"s{number}", Path(f"s{number}.nii")) for number in range(7)]

pytestmark = pytest.mark.usefixtures("one_thread")


class Meeting:
    """Where the ranks of a run, here threads, give each other their values."""

    def __init__(self, world: int) -> None:
        self.values: list[Any] = [None] * world
        self.barrier = threading.Barrier(world, timeout=60)


@dataclass
class Rank:
    rank: int
    world: int
    meeting: Meeting
    local_world: int = 1

    def gather_objects(self, value: Any) -> list[Any]:
        self.meeting.values[self.rank] = value
        self.meeting.barrier.wait()
        return list(self.meeting.values)


@dataclass
class Noted:
    """Prepares nothing, and notes what it was asked for; some cases end in an error, some end this process."""

    unusable: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    deadly: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def outcome(self, case: Case) -> Outcome:
        self.asked.append(case.id)
        if case.id in self.broken:
            raise OSError(28, "no space left")
        if case.id in self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(error="odd") if case.id in self.unusable else Outcome(Path(f"{case.id}-{os.getpid()}"))

    def for_other_process(self) -> CasePreparer:
        return self


class Stopped(Progress):
    """Asks for a stop from the start."""

    def raise_if_interrupted(self) -> None:
        raise Interrupted


def ranks_of(world: int) -> list[Rank]:
    meeting = Meeting(world)
    return [Rank(rank, world, meeting) for rank in range(world)]


def in_ranks(preparers: Sequence[Noted], progress: Sequence[Progress] | None = None) -> list[Any]:
    """Return what `prepare_cases` returns, or raises, in each of so many ranks."""
    ranks = ranks_of(len(preparers))

    def run(rank: Rank) -> Any:
        shown = progress[rank.rank] if progress else Progress()
        try:
            return prepare_cases(preparers[rank.rank], CASES, 1, rank, shown)
        except (RunError, OSError, Interrupted) as error:
            return error

    with ThreadPoolExecutor(len(ranks)) as pool:
        return list(pool.map(run, ranks))


def test_each_case_is_prepared_by_one_rank_and_known_to_all() -> None:
    preparers = [Noted(("s1", "s4")) for _ in range(3)]
    outcomes = in_ranks(preparers)
    assert [preparer.asked for preparer in preparers] == [["s0", "s3", "s6"], ["s1", "s4"], ["s2", "s5"]]
    assert outcomes[0] == outcomes[1] == outcomes[2] and list(outcomes[0]) == list(range(7))
    assert [index for index, outcome in outcomes[2].items() if outcome.error] == [1, 4]


def test_a_rank_that_fails_ends_the_others_with_its_reason() -> None:
    first, second = in_ranks([Noted(), Noted(broken=("s3",))])
    assert isinstance(second, OSError) and second.errno == 28
    assert isinstance(first, RunError) and "process 1 of 2" in str(first) and "no space left" in str(first)


def test_a_rank_that_is_stopped_stops_the_others() -> None:
    assert all(isinstance(end, Interrupted) for end in in_ranks([Noted(), Noted()], [Progress(), Stopped()]))


def test_processes_take_what_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"-{os.getpid()}"
    outcomes = prepare_cases(Noted(), CASES, 2, OneRank(), Progress())
    assert all(str(outcome.path).endswith(here) for outcome in outcomes.values()), "no process for what takes no time"
    monkeypatch.setattr(in_parallel, "ALONE_SECONDS", -1)
    elsewhere = prepare_cases(Noted(("s5",)), CASES, 1, OneRank(), Progress())
    assert str(elsewhere[0].path).endswith(here), "one process is this one"
    elsewhere = prepare_cases(Noted(("s5",)), CASES, 2, OneRank(), Progress())
    assert list(elsewhere) == list(range(7)) and elsewhere[5].error == "odd"
    assert not any(str(outcome.path).endswith(here) for outcome in elsewhere.values() if outcome.path)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed otherwise here")
def test_a_process_that_is_killed_ends_it_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_parallel, "ALONE_SECONDS", -1)
    with pytest.raises(RunError, match="fewer --prepare-workers"):
        prepare_cases(Noted(deadly=("s2",)), CASES, 2, OneRank(), Progress())


def test_ranks_that_share_a_cache_prepare_and_leave_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = open_dataset(totalsegmentator(tmp_path / "set", {f"s{n}": {"liver": box(2, 5)} for n in range(5)}))
    content = data.cases[3].image.read_bytes()
    data.cases[3].image.write_bytes(content[: len(content) // 2])
    read = list[str]()

    def read_and_note(case: Case) -> Scan:
        read.append(case.id)
        return read_case(case)

    monkeypatch.setattr(prepared, "read_case", read_and_note)

    def run(rank: Rank) -> PreparedCases:
        cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
        cases.prepare(on_problem="skip", jobs=1, ranks=rank)
        return cases

    for _ in range(2):
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(run, ranks_of(2))
        assert [case.id for case in first.cases] == [case.id for case in second.cases] == ["s0", "s1", "s2", "s4"]
        assert [problem.case_id for problem in second.problems] == ["s3"]
        assert all(cases.label_ids(index) == {5} for cases in (first, second) for index in range(4))
    assert sorted(read) == ["s0", "s1", "s2", "s3", "s3", "s4"], "the broken one is tried again by the next run"


def test_what_a_stopped_run_had_finished_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = open_dataset(totalsegmentator(tmp_path / "set", {f"s{n}": {"liver": box(2, 5)} for n in range(3)}))
    read = list[str]()

    def read_and_note(case: Case) -> Scan:
        read.append(case.id)
        return read_case(case)

    class StoppedAfterTwo(Progress):
        def raise_if_interrupted(self) -> None:
            if len(read) == 2:
                raise Interrupted

    monkeypatch.setattr(prepared, "read_case", read_and_note)
    with pytest.raises(Interrupted):
        PreparedCases(data, data.cases, SAME, tmp_path / "cache").prepare(progress=StoppedAfterTwo())
    assert read == ["s0", "s1"]
    PreparedCases(data, data.cases, SAME, tmp_path / "cache").prepare()
    assert read == ["s0", "s1", "s2"]
