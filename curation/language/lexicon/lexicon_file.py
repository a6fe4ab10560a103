"""The form of ``lexicon.yaml``, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

HedgeStrength = Literal["attributive", "probable", "uncertain", "unlikely"]
"""How much a hedge doubts, from "consistent with" and "likely" over "possible" to "unlikely"."""
_SLOT = re.compile(r"\{(\w+)\}")


class Cues(BaseModel):
    """Phrases that stand before or after what they act on."""

    model_config = ConfigDict(extra="forbid")
    before: list[str]
    after: list[str]


class Aspect(BaseModel):
    """The words for one aspect of an organ, and the findings that are absent where it is normal.

    Where one of ``opposites`` is denied, the aspect is normal.
    """

    model_config = ConfigDict(extra="forbid")
    words: list[str]
    departures: list[str] = []
    opposites: list[str] = []


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
    cue_words: dict[str, list[str]] = {}
    hedges: dict[HedgeStrength, Cues]
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
    operations: list[str] = []
    partial_operations: list[str] = []
    kinds: dict[str, list[str]]
    modifier_kinds: dict[str, list[str]] = {}
    not_kinds: list[str]
    joint_findings: dict[str, list[str]]
    denied_words: dict[str, list[str]]
    aspects: dict[str, Aspect]

    def kind_phrases(self) -> list[str]:
        """Return the phrases of ``kinds`` and ``joint_findings``, each once."""
        tables = (*self.kinds.items(), *self.joint_findings.items())
        return list(dict.fromkeys(phrase for general, specials in tables for phrase in (general, *specials)))

    @model_validator(mode="after")
    def _names_are_listed(self) -> Self:
        """Refuse a cue with a name in braces that ``cue_words`` does not list."""
        phrases = [phrase for cues in self.hedges.values() for phrase in (*cues.before, *cues.after)]
        unlisted = {name for phrase in phrases for name in _SLOT.findall(phrase)} - self.cue_words.keys()
        if unlisted:
            raise ValueError(f"cue_words does not list {', '.join(sorted(unlisted))}")
        return self


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
    "operations": "operation",
    "partial_operations": "partial_operation",
}


def spelled_out(phrase: str, cue_words: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a cue with each word that a name in braces stands for: of "{be} likely" "is likely", "remains likely"."""
    slot = _SLOT.search(phrase)
    if slot is None:
        yield phrase
        return
    for word in cue_words[slot[1]]:
        yield from spelled_out(phrase[: slot.start()] + word + phrase[slot.end() :], cue_words)


@lru_cache(maxsize=1)
def read_lexicon_file() -> LexiconFile:
    """Read the lexicon file that ships with ``ovct``. Raises pydantic.ValidationError if its form is wrong."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("curation.language.lexicon").joinpath("lexicon.yaml").read_text(encoding="utf-8")
    return LexiconFile.model_validate(yaml.load(text, Loader=loader))
