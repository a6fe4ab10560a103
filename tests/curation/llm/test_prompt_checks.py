"""Examples held against their own reports: the shipped ones stand, and each kind of invention is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.llm import prompt_checks
from curation.llm.prompt_checks import check_prompt, example_captions, load_checked_prompt
from curation.verification.verifier import Verifier
from prompts.prompt_file import Prompt, PromptError, read_prompt, shipped_prompts

REPORT = (
    "A 12 mm nodule is present in the left lower lobe. Pleural effusion was not observed. The liver may contain a "
    "small cyst. Both kidneys are normal."
)
GOOD = [
    ("left lung", "12 mm nodule in the left lower lobe"),
    ("pleura", "Pleural effusion was not observed."),
    ("liver", "The liver may contain a small cyst."),
]


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


def source(*examples: tuple[str, list[tuple[str, str]]], **response: Any) -> bytes:
    shown = [
        {"report": report, "captions": [{"organ": organ, "caption": caption} for organ, caption in captions]}
        for report, captions in examples
    ]
    return yaml.safe_dump(
        {
            "description": "For tests",
            "unit": "report",
            "system": "Read.",
            "message": "{{ text }}",
            "examples": shown,
            "response": {"form": "captions", "max_captions": 9, "max_characters": 200, "max_tokens": 99, **response},
        }
    ).encode()


def prompt(*examples: tuple[str, list[tuple[str, str]]], **response: Any) -> Prompt:
    return read_prompt(source(*examples, **response), "p.yaml")


@pytest.mark.parametrize("name", shipped_prompts())
def test_the_shipped_prompts_hold(name: str, verifier: Verifier) -> None:
    assert load_checked_prompt(name, verifier).name == name


def test_grounded_examples_hold(verifier: Verifier) -> None:
    assert check_prompt(prompt((REPORT, GOOD), ("Normal study.", [])), verifier) == []


@pytest.mark.parametrize(
    ("organ", "caption", "reason", "nearest"),
    [
        ("right lung", "A 12 mm nodule is present in the right lower lobe.", "laterality", "A 12 mm nodule is present"),
        ("right lung", "A 12 mm nodule is present in the left lower lobe.", "", "A 12 mm nodule is present"),
        ("pleura", "Pleural effusion was observed.", "negation", "Pleural effusion was not observed."),
        ("left lung", "A 21 mm nodule is present in the left lower lobe.", "measurement", "A 12 mm nodule is present"),
        ("left lung", "No nodule in the left lower lobe.", "negation", "A 12 mm nodule is present"),
        ("liver", "The liver contains a small cyst.", "", "The liver may contain a small cyst."),
        ("liver", "The liver may contain a large cyst.", "modifier", "The liver may contain a small cyst."),
        ("spleen", "Both kidneys are normal.", "wrong_organ", "Both kidneys are normal."),
        ("spleen", "The spleen is normal.", "wrong_organ", "Both kidneys are normal."),
        ("spleen", "Splenic infarct.", "not_grounded", ""),
        ("heart", "Severe coronary calcification.", "not_grounded", ""),
        ("tissue of sorts", "Both kidneys are normal.", "unknown_organ", ""),
    ],
)
def test_what_an_example_invents_is_refused(
    organ: str, caption: str, reason: str, nearest: str, verifier: Verifier
) -> None:
    problems = check_prompt(prompt(("Normal study.", []), (REPORT, [*GOOD, (organ, caption)])), verifier)
    assert len(problems) == 1
    assert problems[0].startswith(f"example 2, {organ}: “{caption}”: {reason}")
    assert f"; nearest passage: “{nearest}" in problems[0] if nearest else problems[0]


def test_a_caption_of_another_example_does_not_hold(verifier: Verifier) -> None:
    problems = check_prompt(prompt((REPORT, GOOD), ("The gallbladder is empty.", GOOD[:1])), verifier)
    assert [line.partition(",")[0] for line in problems] == ["example 2"]


def test_what_is_not_read_is_no_ground(verifier: Verifier) -> None:
    report = "Technique:\nThe lungs are scanned.\n\nFindings:\nThe liver is normal."
    lungs, liver = ("lungs", "The lungs are scanned."), ("liver", "The liver is normal.")
    assert [line[:16] for line in check_prompt(prompt((report, [lungs, liver])), verifier)] == ["example 1, lungs"]


def test_a_repetition_is_refused(verifier: Verifier) -> None:
    problems = check_prompt(prompt((REPORT, [GOOD[1], ("pleura", "No pleural effusion.")])), verifier)
    assert len(problems) == 1 and "duplicate" in problems[0]


def test_under_a_key_for_several_organs_each_is_taken_by_itself(verifier: Verifier) -> None:
    report = "No stone in the left kidney. No stone in the right kidney."
    both = [("kidneys", "No stone in the left kidney."), ("kidneys", "No stone in the right kidney.")]
    assert check_prompt(prompt((report, both), form="organs", organs=["kidneys"]), verifier) == []


def test_a_file_that_does_not_hold_is_not_loaded(tmp_path: Path, verifier: Verifier) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(source((REPORT, [("spleen", f"The spleen has {n} cysts.") for n in range(2, 9)])))
    with pytest.raises(PromptError) as caught:
        load_checked_prompt(str(path), verifier)
    first, *lines = str(caught.value).splitlines()
    assert first.startswith(f"{path}: captions of examples are not in their own reports; word them as the report does")
    assert [line[:20] for line in lines] == ["  example 1, spleen:"] * 5 + ["  and 2 more"]


def test_without_examples_no_verifier_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(prompt_checks, "Verifier")
    assert check_prompt(prompt()) == []


def test_captions_of_examples_are_normalised() -> None:
    captions = example_captions(
        prompt((REPORT, GOOD[:2]), ("The spleen is  Small.", [("spleen", "The spleen is  Small.")]))
    )
    assert captions == {
        "12 mm nodule in the left lower lobe",
        "pleural effusion was not observed",
        "the spleen is small",
    }
