"""Prompts: given one by one, in files, or all that there are."""

from pathlib import Path

import pytest

from models.checkpoint import read_record
from tests.train.inference.segment_cases import tiny_checkpoint
from train.data.structure_prompts import prompt_book
from train.inference.prompts import Prompt, SegmentError, all_prompts, checked_prompts, read_prompts


def texts(*given: str) -> list[Prompt]:
    return [Prompt(text, text) for text in given]


def test_prompts_are_cleaned_and_asked_once() -> None:
    assert list(checked_prompts([" left  kidney", "liver", "left kidney"])) == texts("left kidney", "liver")
    assert checked_prompts({"l": "liver"}) == (Prompt("l", "liver"),)
    assert checked_prompts([Prompt("l", "liver"), "liver"]) == (Prompt("l", "liver"), Prompt("liver", "liver"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "one prompt at least"),
        (["liver", "\t"], "prompt 2 is empty"),
        ([Prompt("a", "liver"), Prompt("a", "spleen")], "the name 'a' stands for two prompts, 'liver' and 'spleen'"),
    ],
)
def test_what_is_wrong_with_prompts_is_told(given: list[str | Prompt], told: str) -> None:
    with pytest.raises(SegmentError, match=told):
        checked_prompts(given)


def test_a_file_of_prompts(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("\ufeff# kidneys\nleft kidney\n\n  kidney_right: right kidney # its name first\n", encoding="utf-8")
    assert read_prompts(path) == [Prompt("left kidney", "left kidney"), Prompt("kidney_right", "right kidney")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# none\n", "holds no prompt"),
        (b"liver\n: spleen\n", "line 2: write `prompt`"),
        (b"\xff\xfe", "is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "prompts.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SegmentError, match=rf"{path.name}.*{told}"):
        read_prompts(path)


def test_all_is_what_was_trained_or_the_117_of_totalsegmentator(tmp_path: Path) -> None:
    unknown = all_prompts(read_record(tiny_checkpoint(tmp_path / "a")))
    assert len(unknown) == len(checked_prompts(unknown)) == 117
    assert Prompt("kidney_left", "left kidney") in unknown and Prompt("vertebrae_L1", "L1 vertebra") in unknown
    book = prompt_book(["liver", "kidney_left"])
    known = all_prompts(read_record(tiny_checkpoint(tmp_path / "b", prompts=book.to_json())))
    assert known == [Prompt("liver", "liver"), Prompt("kidney_left", "left kidney")]
