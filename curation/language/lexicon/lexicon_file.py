"""The form of ``lexicon.yaml``, and how it is read."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict


class Cues(BaseModel):
    """Phrases that stand before or after what they act on."""

    model_config = ConfigDict(extra="forbid")
    before: list[str]
    after: list[str]


class LexiconFile(BaseModel):
    """The lists and tables that ``lexicon.yaml`` holds; comments in the file say what each is for."""

    model_config = ConfigDict(extra="forbid")
    synonyms: list[list[str]]
    irregular: dict[str, str]
    numbers: dict[str, int]
    severity: dict[str, list[str]]
    size: dict[str, list[str]]
    extent: dict[str, list[str]]
    quantity: dict[str, list[str]]
    density: dict[str, list[str]]
    morphology: dict[str, list[str]]
    time: dict[str, list[str]]
    hedges: dict[Literal["uncertain", "attributive"], Cues]
    negations: Cues
    pseudo_negations: list[str]
    scope_ends: list[str]
    normality: list[str]
    absent_organ: dict[str, str]
    implied_organ: dict[str, str]
    reporting: list[str]
    limitation: list[str]
    recommendation: list[str]
    history: list[str]
    exceptions: list[str]
    attributes: list[str]
    findings: list[str]


# The tables of graded qualifiers. A modifier's key is "table:class" ("severity:mild").
MODIFIERS = ("severity", "size", "extent", "quantity", "density", "morphology", "time")
# Lists whose phrases get a flag, with the name of the flag.
FLAGS = {
    "pseudo_negations": "pseudo_negation",
    "scope_ends": "scope_end",
    "normality": "normality",
    "reporting": "reporting",
    "limitation": "limitation",
    "recommendation": "recommendation",
    "history": "history",
    "exceptions": "exception",
    "attributes": "attribute",
    "findings": "finding",
}


@lru_cache(maxsize=1)
def read_lexicon_file() -> LexiconFile:
    """Read the lexicon file that ships with ``ovct``. Raises pydantic.ValidationError if its form is wrong."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("curation.language.lexicon").joinpath("lexicon.yaml").read_text(encoding="utf-8")
    return LexiconFile.model_validate(yaml.load(text, Loader=loader))
