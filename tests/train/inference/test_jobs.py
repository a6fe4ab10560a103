"""Many scans with one model: what a file of jobs may say, what goes on after an error, what is not done twice."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.checkpoint import Checkpoint, load_checkpoint
from tests.train.inference.segment_cases import affine_of, hounsfield, nifti, tiny_checkpoint
from train.inference.jobs import Settings, do_jobs, read_jobs, settings_of
from train.inference.outputs import Outputs
from train.inference.prompts import Prompt, SegmentError

OUTPUTS = Outputs(Path("mask.nii.gz"))
SETTINGS = Settings(presence_threshold=0, precision="float32")

pytestmark = pytest.mark.usefixtures("one_thread")


class Told(Progress):
    """Keeps what is said, and stops before the job numbered `stop`."""

    def __init__(self, stop: int = -1) -> None:
        self.said: list[str] = []
        self.more: list[str] = []
        self.jobs, self.stop = 0, stop

    def message(self, what: str) -> None:
        self.said.append(what)

    def set_status(self, more: str) -> None:
        self.more.append(more)

    def advance(self) -> None:
        self.jobs += 1

    def raise_if_interrupted(self) -> None:
        if self.jobs == self.stop:
            raise Interrupted


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return load_checkpoint(tiny_checkpoint(tmp_path_factory.mktemp("jobs")))


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Three jobs, of which the second has no scan."""
    for name in ("a", "c"):
        nifti(tmp_path / f"{name}.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    lines = [f"{tmp_path}/{name}.nii.gz,{tmp_path}/out/{name}.nii.gz,liver|left kidney" for name in "abc"]
    (tmp_path / "jobs.csv").write_text("\n".join(["ct,out,prompts", *lines, ""]))
    return tmp_path / "jobs.csv"


def run(
    jobs: Path, model: Checkpoint, progress: Told, outputs: Outputs = OUTPUTS, settings: Settings = SETTINGS
) -> tuple[int, int, int]:
    return do_jobs(read_jobs(jobs, (), outputs), model, settings, progress)


def test_the_others_go_on_after_an_error_and_are_not_done_again(jobs: Path, model: Checkpoint) -> None:
    progress = Told()
    assert run(jobs, model, progress) == (2, 0, 1)
    (said,) = progress.said
    assert "jobs.csv, line 3" in said and "b.nii.gz" in said and "no such file" in said
    assert progress.jobs == 3 and "a.nii.gz: window 1 of 1" in progress.more
    out = jobs.parent / "out"
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert {path.name for path in before} == {"a.nii.gz", "a.json", "c.nii.gz", "c.json"}
    nifti(jobs.parent / "b.nii.gz", hounsfield((12, 11, 10), seed=1), affine_of((2, 2, 2)))
    assert run(jobs, model, Told()) == (1, 2, 0)
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())


def test_a_run_that_was_stopped_goes_on(jobs: Path, model: Checkpoint) -> None:
    with pytest.raises(Interrupted):
        run(jobs, model, Told(stop=1))
    assert {path.name for path in (jobs.parent / "out").iterdir()} == {"a.nii.gz", "a.json"}
    assert run(jobs, model, Told()) == (1, 1, 1)


def test_what_was_made_otherwise_is_not_taken_for_done(jobs: Path, model: Checkpoint) -> None:
    run(jobs, model, Told())
    progress = Told()
    other = Settings(presence_threshold=0, precision="float32", threshold=0.3)
    assert run(jobs, model, progress, settings=other) == (0, 0, 3)
    assert "was made with other prompts, thresholds or weights" in progress.said[0]
    record = model.record.model_copy(update={"weights": "weights-0123456789abcdef.safetensors"})
    assert run(jobs, Checkpoint(model.model, record), Told()) == (0, 0, 3)
    (jobs.parent / "out" / "a.json").unlink()
    progress = Told()
    assert run(jobs, model, progress) == (0, 1, 2) and "a.nii.gz is there already" in progress.said[0]
    assert run(jobs, model, Told(), outputs=Outputs(Path("mask.nii.gz"), overwrite=True), settings=other) == (2, 0, 1)


def test_a_job_is_what_one_scan_alone_is(jobs: Path, model: Checkpoint) -> None:
    from train.inference.segmenting import segment

    run(jobs, model, Told())
    alone = segment(
        jobs.parent / "a.nii.gz", ["liver", "left kidney"], model, presence_threshold=0, precision="float32"
    )
    saved = nibabel.load(jobs.parent / "out" / "a.nii.gz")
    assert np.array_equal(np.asarray(saved.dataobj), alone.labels)  # type: ignore[attr-defined]


def test_json_lines_and_prompts_of_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    rows = [{"ct": "a.nii", "out": "a/mask.nii.gz"}, {"ct": "b.mha", "out": "b.nii", "prompts": ["liver", "spleen"]}]
    path.write_text("\n\n".join(json.dumps(row) for row in rows))
    first, second = read_jobs(path, [Prompt("l", "lung")], Outputs(Path("x.nii"), preview=True))
    assert first.prompts == (Prompt("l", "lung"),) and first.outputs == Outputs(Path("a/mask.nii.gz"), preview=True)
    assert [prompt.text for prompt in second.prompts] == ["liver", "spleen"] and second.scan == Path("b.mha")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("j.csv", "ct,out\na.nii,\n", "line 2: no out"),
        ("j.csv", "scan,out\na.nii,b.nii\n", "line 2: no ct"),
        ("j.csv", "ct,out\n", "holds no job"),
        ("j.csv", "ct,out\na.nii,m.nii\n", "line 2: one prompt at least"),
        (
            "j.csv",
            "ct,out,prompts\na.nii,m.nii,liver\nb.nii,m.nii.gz,liver\n",
            "line 3: would write what .*line 2 does",
        ),
        ("j.csv", "ct,out,prompts\na.nii,m.mha,liver\n", "line 2: --out m.mha: a mask ends in"),
        ("j.jsonl", "{\n", "line 1 is not JSON"),
        ("j.jsonl", "[1]\n", "line 1: an object with ct, out"),
        ("j.xlsx", "", "jobs are a .csv or .jsonl file"),
        ("none.csv", None, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_of_jobs_is_told(tmp_path: Path, name: str, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SegmentError, match=rf"(?s)j\.|none.*{told}"):
        read_jobs(tmp_path / name, (), OUTPUTS)
    with pytest.raises(SegmentError, match=told):
        read_jobs(tmp_path / name, (), OUTPUTS)


@pytest.mark.parametrize(
    ("precision", "device", "told"),
    [
        ("int8", "cpu", "--precision int8: auto, float32"),
        ("float16", "cpu", "--precision float16: float16 is for GPUs"),
        ("auto", "toaster", "--device toaster: no such device here"),
        ("auto", "cuda:99", "--device cuda:99: no such device here"),
    ],
)
def test_a_device_that_is_not_here_is_told(precision: str, device: str, told: str) -> None:
    with pytest.raises(SegmentError, match=told):
        settings_of(0.5, 0.5, 0.5, precision, device)
