"""Files of jobs: what they may say, and what is wrong with them."""

import json
from pathlib import Path

import pytest

from train.inference.errors import SegmentError
from train.inference.jobs import read_jobs
from train.inference.outputs import Outputs
from train.inference.prompts import SegmentPrompt

OUTPUTS = Outputs(Path("mask.nii.gz"))


def test_json_lines_and_prompts_of_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    rows = [{"ct": "a.nii", "out": "a/mask.nii.gz"}, {"ct": "b.mha", "out": "b.nii", "prompts": ["liver", "spleen"]}]
    path.write_text("\n\n".join(json.dumps(row) for row in rows))
    first, second = read_jobs(path, [SegmentPrompt("l", "lung")], Outputs(Path("x.nii"), preview=True))
    assert first.prompts == (SegmentPrompt("l", "lung"),) and first.outputs == Outputs(
        Path("a/mask.nii.gz"), preview=True
    )
    assert [prompt.text for prompt in second.prompts] == ["liver", "spleen"] and second.scan == Path("b.mha")


def test_a_json_list_is_what_json_lines_are(tmp_path: Path) -> None:
    rows = [{"ct": "a.nii", "out": "a.nii.gz", "prompts": ["liver"]}, {"ct": "b.mha", "out": "b.nii", "prompts": "a|b"}]
    (tmp_path / "jobs.json").write_text(json.dumps(rows))
    first, second = read_jobs(tmp_path / "jobs.json", (), OUTPUTS)
    assert first.scan == Path("a.nii") and [prompt.text for prompt in second.prompts] == ["a", "b"]
    assert second.source.endswith("jobs.json, job 2")


@pytest.mark.parametrize(
    ("name", "content", "message"),
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
        ("j.json", "[", "is not JSON"),
        ("j.json", "{}", "a list of objects"),
        ("j.json", '[{"ct": "a.nii", "out": "m.nii", "prompts": ["liver"]}, 1]', "job 2: an object with ct"),
        ("j.jsonl", "[1]\n", "line 1: an object with ct, out"),
        ("j.json", '[{"ct": "a.nii", "out": "m.nii", "prompts": 3}]', "job 1: prompts are 3; expected 'liver"),
        ("j.jsonl", '{"ct": "a.nii", "out": "m.nii", "prompts": [null]}', r"line 1: prompts are \[null\]; expected"),
        ("j.jsonl", '{"ct": "a.nii", "out": "m.nii", "prompts": {"a": 1}}', "line 1: prompts are "),
        ("j.jsonl", '{"ct": "a.nii", "out": "\\u0000.nii", "prompts": "a"}', "line 1: no out"),
        ("j.json", "[" * 100_000, "is not JSON"),
        ("j.xlsx", "", "jobs are a .csv, .jsonl or .json file"),
        ("none.csv", None, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_of_jobs_is_told(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SegmentError, match=rf"(?s)j\.|none.*{message}"):
        read_jobs(tmp_path / name, (), OUTPUTS)
    with pytest.raises(SegmentError, match=message):
        read_jobs(tmp_path / name, (), OUTPUTS)
