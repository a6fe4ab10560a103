"""Many scans with one model: what goes on after an error, what is not done twice, and what is reported."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.checkpoint import load_checkpoint
from models.segmenter import TextSegmenter
from tests.train.inference.segment_cases import affine_of, hounsfield, nifti, tiny_checkpoint
from train.inference.engines.text import TextDrivenEngine
from train.inference.jobs import read_jobs
from train.inference.options import SegmentOptions
from train.inference.outputs import Outputs
from train.inference.run_jobs import JobsReport, SegmentReport, run_job, run_jobs

OUTPUTS = Outputs(Path("mask.nii.gz"))
OPTIONS = SegmentOptions(presence_threshold=0, precision="float32")

pytestmark = pytest.mark.usefixtures("one_thread")


class JobProgress(Progress):
    """Keeps messages and statuses, and stops before the job numbered `stop`."""

    def __init__(self, stop: int = -1) -> None:
        self.messages: list[str] = []
        self.statuses: list[str] = []
        self.jobs, self.stop = 0, stop

    def message(self, text: str) -> None:
        self.messages.append(text)

    def set_status(self, status: str) -> None:
        self.statuses.append(status)

    def advance(self) -> None:
        self.jobs += 1

    def raise_if_interrupted(self) -> None:
        if self.jobs == self.stop:
            raise Interrupted


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TextDrivenEngine:
    segmenter, record = load_checkpoint(tiny_checkpoint(tmp_path_factory.mktemp("jobs")))
    assert isinstance(segmenter, TextSegmenter)
    return TextDrivenEngine(segmenter, record)


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Three jobs, of which the second has no scan."""
    for name in ("a", "c"):
        nifti(tmp_path / f"{name}.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    lines = [f"{tmp_path}/{name}.nii.gz,{tmp_path}/out/{name}.nii.gz,liver|left kidney" for name in "abc"]
    (tmp_path / "jobs.csv").write_text("\n".join(["ct,out,prompts", *lines, ""]))
    return tmp_path / "jobs.csv"


def run(
    jobs: Path,
    model: TextDrivenEngine,
    progress: JobProgress,
    outputs: Outputs = OUTPUTS,
    options: SegmentOptions = OPTIONS,
) -> tuple[int, int, int]:
    return run_jobs(read_jobs(jobs, (), outputs), model, options, progress).counts


def test_the_others_go_on_after_an_error_and_are_not_done_again(jobs: Path, model: TextDrivenEngine) -> None:
    progress = JobProgress()
    assert run(jobs, model, progress) == (2, 0, 1)
    (message,) = progress.messages
    assert "jobs.csv, line 3" in message and "b.nii.gz" in message and "no such file" in message
    assert progress.jobs == 3 and "a.nii.gz: window 1 of 1" in progress.statuses
    out = jobs.parent / "out"
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert {path.name for path in before} == {"a.nii.gz", "a.json", "c.nii.gz", "c.json"}
    nifti(jobs.parent / "b.nii.gz", hounsfield((12, 11, 10), seed=1), affine_of((2, 2, 2)))
    assert run(jobs, model, JobProgress()) == (1, 2, 0)
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())


def test_a_run_that_was_stopped_goes_on(jobs: Path, model: TextDrivenEngine) -> None:
    with pytest.raises(Interrupted):
        run(jobs, model, JobProgress(stop=1))
    assert {path.name for path in (jobs.parent / "out").iterdir()} == {"a.nii.gz", "a.json"}
    assert run(jobs, model, JobProgress()) == (1, 1, 1)


def test_what_was_made_otherwise_is_not_taken_for_done(jobs: Path, model: TextDrivenEngine) -> None:
    run(jobs, model, JobProgress())
    progress = JobProgress()
    other_options = SegmentOptions(presence_threshold=0, precision="float32", threshold=0.3)
    assert run(jobs, model, progress, options=other_options) == (0, 0, 3)
    assert "was made with other prompts, thresholds or weights" in progress.messages[0]
    record = model.record.model_copy(update={"weights": "weights-0123456789abcdef.safetensors"})
    assert run(jobs, TextDrivenEngine(model.model, record), JobProgress()) == (0, 0, 3)
    # As a run leaves it that was killed before its table was in place.
    (jobs.parent / "out" / "a.json").unlink()
    assert run(jobs, model, JobProgress()) == (1, 1, 1)
    assert run(
        jobs, model, JobProgress(), outputs=Outputs(Path("mask.nii.gz"), overwrite=True), options=other_options
    ) == (2, 0, 1)


def test_a_job_is_what_one_scan_alone_is(jobs: Path, model: TextDrivenEngine) -> None:
    from train.inference.segmenting import segment

    run(jobs, model, JobProgress())
    alone = segment(jobs.parent / "a.nii.gz", ["liver", "left kidney"], model, OPTIONS)
    saved = nibabel.load(jobs.parent / "out" / "a.nii.gz")
    assert np.array_equal(np.asarray(saved.dataobj), alone.labels)  # type: ignore[attr-defined]


def test_a_report_is_one_json_object(jobs: Path, model: TextDrivenEngine) -> None:
    outputs = Outputs(Path("mask.nii.gz"), preview=True)
    first, missing, third = read_jobs(jobs, (), outputs)
    report = run_job(first, model, OPTIONS, Progress())
    assert SegmentReport.model_validate_json(report.model_dump_json()) == report
    assert [(row.name, row.label) for row in report.labels] == [("liver", 1), ("left kidney", 2)]
    out = jobs.parent / "out"
    assert report.files == tuple(str(out / name) for name in ("a.nii.gz", "a.png", "a.json"))
    assert report.scan == str(jobs.parent / "a.nii.gz") and report.presence_threshold == 0 and report.warnings == ()
    together = run_jobs([first, missing, third], model, OPTIONS, Progress())
    assert JobsReport.model_validate_json(together.model_dump_json()) == together
    assert together.skipped == (report,) and together.counts == (1, 1, 1)
    assert "no such file" in together.failed[0].error and together.failed[0].source.endswith("line 3")
