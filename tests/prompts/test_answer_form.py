"""The forms of an answer: what fits the schemas and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.prompts.prompt_cases import REPORT, captions_content, content, fits, prompt


def test_every_organ_has_to_be_answered_for() -> None:
    loaded = prompt(content())
    schema = loaded.schema
    assert schema is loaded.schema
    assert fits({"lungs": None, "pleura": [REPORT]}, schema)
    assert fits({"lungs": ["a", "b"], "pleura": None}, schema)
    wrong: list[dict[str, Any]] = [
        {"lungs": None},
        {"lungs": None, "pleura": None, "heart": None},
        {"lungs": "a", "pleura": None},
        {"lungs": [], "pleura": None},
        {"lungs": [""], "pleura": None},
        {"lungs": ["a", "b", "c"], "pleura": None},
        {"lungs": ["a" * 81], "pleura": None},
    ]
    for answer in wrong:
        assert not fits(answer, schema), answer


@pytest.mark.parametrize("name", ["schema", "repair_schema"])
def test_a_list_of_captions_may_be_empty(name: str) -> None:
    loaded = prompt(captions_content())
    schema = getattr(loaded, name)
    assert schema is getattr(loaded, name)
    row = {"organ": "liver", "caption": "Cyst."}
    assert fits({"captions": []}, schema) and fits({"captions": [row, row, row]}, schema)
    assert not fits([row], schema)
    assert not fits({"captions": [{**row, "status": "normal"}]}, schema)
    assert not fits({"captions": [{"organ": "liver"}]}, schema)
    assert not fits({"captions": [row] * 25}, schema)
    assert not fits({"captions": [{**row, "caption": "a" * 81}]}, schema)


def test_repairs_come_as_a_list_whatever_the_form() -> None:
    assert (
        prompt(content()).repair_schema == prompt(captions_content()).repair_schema != prompt(captions_content()).schema
    )
