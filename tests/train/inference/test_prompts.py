"""Prompts: given one by one, in files, or all that there are."""

from pathlib import Path

import pytest

from models.checkpoint import read_record
from tests.train.inference.segment_cases import tiny_checkpoint
from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.inference.errors import SegmentError
from train.inference.prompts import SegmentPrompt, checked_prompts, read_prompts, training_names


def prompts_of(*texts: str) -> list[SegmentPrompt]:
    return [SegmentPrompt(text, text) for text in texts]


def test_prompts_are_cleaned_and_asked_once() -> None:
    assert list(checked_prompts([" left  kidney", "liver", "left kidney"])) == prompts_of("left kidney", "liver")
    assert checked_prompts({"l": "liver"}) == (SegmentPrompt("l", "liver"),)
    assert checked_prompts([SegmentPrompt("l", "liver"), "liver"]) == (
        SegmentPrompt("l", "liver"),
        SegmentPrompt("liver", "liver"),
    )


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "one prompt at least"),
        (["liver", "\t"], "prompt 2 is empty"),
        (
            [SegmentPrompt("a", "liver"), SegmentPrompt("a", "spleen")],
            "the name 'a' stands for two prompts, 'liver' and 'spleen'",
        ),
    ],
)
def test_what_is_wrong_with_prompts_is_told(prompts: list[str | SegmentPrompt], message: str) -> None:
    with pytest.raises(SegmentError, match=message):
        checked_prompts(prompts)


def test_a_file_of_prompts(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("\ufeff# kidneys\nleft kidney\n\n  kidney_right: right kidney # its name first\n", encoding="utf-8")
    assert read_prompts(path) == [
        SegmentPrompt("left kidney", "left kidney"),
        SegmentPrompt("kidney_right", "right kidney"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# none\n", "holds no prompt"),
        (b"liver\n: spleen\n", "line 2: write `prompt`"),
        (b"\xff\xfe", "is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "prompts.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SegmentError, match=rf"{path.name}.*{message}"):
        read_prompts(path)


def test_words_are_taken_as_what_was_trained(tmp_path: Path) -> None:
    prompts = build_structure_prompts(("kidney_left", "kidney_right", "gallbladder")).to_json()
    structure_prompts = StructurePrompts.from_training_record(
        read_record(tiny_checkpoint(tmp_path, prompts=prompts)).trained_on
    )
    assert training_names("vesica fellea", structure_prompts) == ("gallbladder",)
    assert training_names("Gall Bladder", structure_prompts) == ("gallbladder",)
    assert (
        training_names("kidneys", structure_prompts)
        == training_names("renal", structure_prompts)
        == ("left kidney", "right kidney")
    )
    assert training_names("gallbladder and both kidneys", structure_prompts) == (
        "gallbladder", "left kidney", "right kidney",
    )  # fmt: skip
    assert training_names("gallbladder and spleen", structure_prompts) == ("gallbladder and spleen",)
    assert training_names("gallbladder and a lesion", structure_prompts) == ("gallbladder and a lesion",)
    # An organ that the checkpoint was not trained on is asked by its name, and what nobody knows as it stands.
    assert training_names("spleen", structure_prompts) == training_names("splenic", structure_prompts) == ("spleen",)
    # A part or a whole of what it was trained on is no other organ.
    assert training_names("left renal cortex", structure_prompts) == ("left renal cortex",)
    assert training_names("abdominal cavity", structure_prompts) == ("abdominal cavity",)
    assert training_names("the thing on the left", structure_prompts) == ("the thing on the left",)
    assert training_names("kidneys", StructurePrompts.from_training_record(())) == ("kidneys",)


def test_a_hash_within_a_prompt_stays(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("lung nodule #3\n  # a comment\n#another\nmass: C#5 mass # a third\n")
    assert [(prompt.name, prompt.text) for prompt in read_prompts(path)] == [
        ("lung nodule #3", "lung nodule #3"),
        ("mass", "C#5 mass"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "prompts"),
    [
        ("a.json", '["liver", "lung nodule #3"]', [("liver", "liver"), ("lung nodule #3", "lung nodule #3")]),
        ("a.JSON", '{"l": "liver"}', [("l", "liver")]),
        ("a.json", '{"l": 3}', None),
        ("a.json", "liver", None),
        ("a.json", "[]", None),
        ("a.csv", "prompt\nliver\n", None),
        ("a.jsonl", '{"prompt": "liver"}', None),
    ],
)
def test_json_is_read_and_tables_are_refused(tmp_path: Path, name: str, content: str, prompts: object) -> None:
    path = tmp_path / name
    path.write_text(content)
    if prompts is None:
        with pytest.raises(SegmentError, match=rf"{name}"):
            read_prompts(path)
    else:
        assert [(prompt.name, prompt.text) for prompt in read_prompts(path)] == prompts
