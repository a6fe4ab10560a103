"""Prompt files for tests, as the values of their YAML."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from prompts.prompt_file import Prompt, PromptError, read_prompt

REPORT = "Pleural effusion was not observed."
CAPTION = "examples.0.captions.0"


def content(**changes: Any) -> dict[str, Any]:
    """Return a prompt file of the form ``organs``."""
    return {
        "description": "For tests",
        "unit": "report",
        "system": "Read.",
        "message": "Report:\n{{ text }}\n",
        "examples": [{"report": f"{REPORT}\n", "captions": [{"organ": "pleura", "caption": REPORT}]}],
        "response": {
            "form": "organs",
            "organs": ["lungs", "pleura"],
            "max_captions": 2,
            "max_characters": 80,
            "max_tokens": 100,
        },
    } | changes


def captions_content(**changes: Any) -> dict[str, Any]:
    """Return a prompt file of the form ``captions``."""
    response = {"form": "captions", "max_captions": 3, "max_characters": 80, "max_tokens": 100}
    return content(response=response) | changes


def prompt(file: dict[str, Any]) -> Prompt:
    """Return the prompt that is read from a file."""
    return read_prompt(yaml.safe_dump(file).encode(), "p.yaml")


def problem(source: dict[str, Any] | str | bytes) -> str:
    """Return why a file is refused."""
    raw = yaml.safe_dump(source) if isinstance(source, dict) else source
    with pytest.raises(PromptError) as caught:
        read_prompt(raw.encode() if isinstance(raw, str) else raw, "p.yaml")
    return str(caught.value)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a value fits a JSON schema, as far as ours go."""
    if "anyOf" in schema:
        return any(fits(value, option) for option in schema["anyOf"])
    match schema["type"]:
        case "null":
            return value is None
        case "string":
            return isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]
        case "array":
            within = isinstance(value, list) and schema["minItems"] <= len(value) <= schema["maxItems"]
            return within and all(fits(item, schema["items"]) for item in value)
    assert schema["type"] == "object" and schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"])
    if not isinstance(value, dict) or list(value) != schema["required"]:
        return False
    return all(fits(value[key], schema["properties"][key]) for key in value)


def changed_content(path: str, value: Any, file: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a file with one value set, or taken out (...), at a path such as ``examples.0.report``."""
    result = copy.deepcopy(file or content())
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    parent: Any = result
    for key in parents:
        parent = parent[key]
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return result
