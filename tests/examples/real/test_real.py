"""`python -m examples.real`: the whole way on boxes, stopped and gone on with, and the table."""

import json
from pathlib import Path

import pytest

from curation.runtime.errors import Interrupted
from examples.real import __main__ as demo
from examples.real import extra_questions, stages
from examples.real.cohort import only_dataset
from examples.real.extra_questions import ABSENT, NEW_ABSENT, WIDER_GROUPS, Answer
from examples.real.table import table_lines
from prompts.vocabulary import load_vocabulary
from tests.examples.real.heads import write_heads
from tests.models.encoders import tiny_encoder
from train.config.loading import load_config
from train.config.options import SegmentConfig
from train.data.structure_prompts import build_structure_prompts
from train.evaluation.results import EvaluationSummary
from train.prompting.absent_words import find_absent_words

CASES = [f"pt_{number}" for number in range(8)]
OPENKBP = (
    "brainstem", "spinal_cord", "parotid_gland_right", "parotid_gland_left", "esophagus", "larynx", "mandible",
)  # fmt: skip
PATCH = "patch: [32, 32, 64]\nlabelled: present\nsteps: 2\nbatch_size: 1\nwarmup_steps: 0\n"


@pytest.fixture
def small_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a run of seconds."""
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "words.yaml").write_text("steps: 1\nbatch_size: 2\n")
    (folder / "pretrain.yaml").write_text(f"size: tiny\nspacing_mm: [4, 4, 4]\n{PATCH}")
    (folder / "segment.yaml").write_text(
        f"{PATCH}hold_out: 2/2\nhidden: 8\nlevels: 1\nconnector_steps: 2\npresence_patches: 6\n"
    )
    monkeypatch.setattr(stages, "SETTINGS", folder)


@pytest.mark.usefixtures("small_settings", "one_thread")
def test_the_whole_way_with_other_patients_and_after_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_heads(tmp_path / "data", CASES, without=CASES[:2])
    unseen = write_heads(tmp_path / "unseen", ["new_1", "new_2"])
    text, out = tiny_encoder(tmp_path / "text"), tmp_path / "run"
    call = [str(data), "--text", str(text), "--out", str(out), "--unseen", str(unseen)]

    asked: list[str] = []
    ask = extra_questions._ask

    def ask_one(*arguments: object) -> object:
        if len(asked) == 1:
            asked.append("stopped")
            raise KeyboardInterrupt
        asked.append("case")
        return ask(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(extra_questions, "_ask", ask_one)
    assert demo.main(call) == Interrupted.exit_code
    assert "the same command goes on" in capsys.readouterr().err
    assert demo.main(call) == 0
    assert asked == ["case", "stopped", "case", "case", "case"]

    shown = capsys.readouterr().out
    for name, patients in (("evaluation", 2), ("evaluation-unseen", 2)):
        table = (out / f"{name}.txt").read_text()
        assert table in shown
        assert f"{patients} patients, none of them trained on" in table
        assert f"of {len(ABSENT) * patients} prompts" in table and f"of {len(NEW_ABSENT) * patients} prompts" in table
        assert "sides exchanged" in table and "of 4 prompts" in table and 'group, trained: "parotid glands"' in table
    assert set(json.loads((out / "seconds.json").read_text())) == {
        "words", "pretrain", "segment", "evaluate", "questions",
    }  # fmt: skip

    # A synonym that was trained is no held-out one, though `ovct evaluate` asks it where a structure has no other.
    summary = EvaluationSummary.model_validate_json((out / "evaluation" / "summary.json").read_text())
    trained = tuple(prompt.model_copy(update={"trained": True}) for prompt in summary.prompts)
    learned = summary.model_copy(update={"prompts": trained})
    assert ['"lower jaw"' in "".join(table_lines(one, [])) for one in (summary, learned)] == [True, False]

    weights = {file: file.stat().st_mtime_ns for file in (out / "pretrain").glob("weights-*")}
    assert weights and demo.main([*call[:5], "--third", "2"]) == 0
    records = [json.loads((out / name / "checkpoint.json").read_text()) for name in ("segment", "segment-third2")]
    held_out = [record["trained_on"][-1]["prompts"]["held_out"]["mandible"] for record in records]
    assert held_out == [["lower jaw"], ["jaw"]]
    assert (out / "evaluation-third2.txt").read_text() in capsys.readouterr().out
    assert weights == {file: file.stat().st_mtime_ns for file in (out / "pretrain").glob("weights-*")}


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main([str(tmp_path / "none"), "--text", "none", "--out", str(tmp_path / "run")]) == 2
    assert "name the data set's folder" in capsys.readouterr().err


def test_of_the_absent_words_one_half_is_trained_with_the_demo_s_settings() -> None:
    settings = load_config(SegmentConfig, stages.SETTINGS / "segment.yaml", {})
    prompts = build_structure_prompts(OPENKBP)
    words = find_absent_words(prompts.names, settings.prompting.not_shown, load_vocabulary())
    trained = {word.text for word in words if not word.rivals}
    assert trained.issuperset(ABSENT) and trained.isdisjoint(NEW_ABSENT)
    assert all(load_vocabulary().resolve(word) == word for word in (*ABSENT, *NEW_ABSENT))
    assert set(WIDER_GROUPS).isdisjoint(prompts.group_prompts)


def test_a_side_is_exchanged_where_more_of_the_mask_lies_on_the_other() -> None:
    def left(dice: float | None, other: float | None) -> Answer:
        return Answer(kind="side", prompt="left", subject="left", ml=1, dice=dice, dice_of_other_side=other)

    assert left(0.1, 0.2).exchanged and left(0, 0.1).exchanged
    assert not left(0.6, 0.2).exchanged and not left(0, 0).exchanged and not left(0.5, None).exchanged


def test_the_folder_around_one_data_set_stands_for_it(tmp_path: Path) -> None:
    data = write_heads(tmp_path / "raw" / "Dataset501", CASES[:1])
    assert only_dataset(data) == only_dataset(tmp_path / "raw") == data
    write_heads(tmp_path / "raw" / "Dataset502", CASES[:1])
    assert only_dataset(tmp_path / "raw") == tmp_path / "raw"  # which ovct then asks about
