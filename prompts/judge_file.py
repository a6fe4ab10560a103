"""The prompt of a judge: how a language model is asked for a verdict on one caption, held against its report.

It is a file of its own kind. Examples, and the text that explains the verdicts, can be exchanged; the verdicts and the
form of an answer cannot, so that judges can be compared with each other and with people.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from .prompt_file import JUDGE_FILE, PromptError, Turn
from .templates import PromptTemplateError, check_template, render
from .yaml_file import FieldError, first_problem, load_mapping

VERDICTS = (
    "supported",
    "hallucinated",
    "wrong_organ",
    "wrong_polarity_or_side",
    "wrong_measurement",
    "incomplete",
    "unsure",
)
"""The values of ``Verdict`` in ``curation/caption_set/audit_results.py``."""
LONGEST_PASSAGE = 400
LONGEST_WHY = 300
"""Characters of the two texts in an answer."""
MAY_QUOTE_NOTHING = ("hallucinated", "unsure")
"""Verdicts for which a report may hold no passage at all; each other one is about something that it says."""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Quote = Annotated[str, StringConstraints(strip_whitespace=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class JudgeExample(_Part):
    """A caption, the organ it is filed under, its report, and the answer that a judge should give.

    ``passage`` is a quotation from the report; empty where there is none to quote.
    """

    report: _Text
    organ: _Text
    caption: _Text
    passage: _Quote
    why: _Text
    verdict: _Text


class JudgeResponse(_Part):
    """``max_tokens`` limits an answer."""

    max_tokens: Annotated[int, Field(strict=True, ge=1, le=100_000)]


class JudgeFile(_Part):
    """What the file holds.

    ``system`` and ``message`` are Jinja templates: the first knows ``verdicts``, their names; the second ``report``,
    ``organ`` and ``caption``. The report is best shown first, so that a model reads it once for all its captions.
    """

    description: _Text
    system: _Text
    message: _Text
    examples: tuple[JudgeExample, ...]
    response: JudgeResponse


@dataclass(frozen=True)
class JudgePrompt:
    """A judge's prompt that was read. ``source`` is the file as it is, and ``hash`` the SHA-256 of that."""

    name: str
    hash: str
    source: bytes = field(repr=False)
    file: JudgeFile = field(repr=False)

    def messages(self, report: str, organ: str, caption: str) -> tuple[Turn, ...]:
        """The chat about a caption. All that does not depend on it comes first, so that a model reads that once."""
        return (*self._opening, ("user", self._question(report, organ, caption)))

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of an answer; the same object each time. A model quotes and explains before it decides."""
        properties = {
            "passage": {"type": "string", "maxLength": LONGEST_PASSAGE},
            "why": {"type": "string", "maxLength": LONGEST_WHY},
            "verdict": {"type": "string", "enum": list(VERDICTS)},
        }
        return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

    @cached_property
    def _opening(self) -> tuple[Turn, ...]:
        turns: list[Turn] = [("system", render(self.file.system, {"verdicts": VERDICTS}))]
        for example in self.file.examples:
            turns.append(("user", self._question(example.report, example.organ, example.caption)))
            turns.append(("assistant", _answer(example)))
        return tuple(turns)

    def _question(self, report: str, organ: str, caption: str) -> str:
        return render(self.file.message, {"report": report, "organ": organ, "caption": caption})


def _answer(example: JudgeExample) -> str:
    # Without spaces: constrained decoding writes it so, and it saves tokens.
    answer = {"passage": example.passage, "why": example.why, "verdict": example.verdict}
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def load_judge(name_or_path: str | None = None) -> JudgePrompt:
    """Load a judge's prompt from a file, or the shipped one, which is called ``judge``. Raises PromptError."""
    shipped = name_or_path is None or name_or_path == JUDGE_FILE.stem
    name = JUDGE_FILE.stem if name_or_path is None else name_or_path
    try:
        source = (JUDGE_FILE if shipped else Path(name)).read_bytes()
    except OSError as error:
        way_out = "give the path of one, or leave it out for the one that comes with ovct"
        raise PromptError(f"judge's prompt “{name}”: cannot be read ({error.strerror}); {way_out}") from error
    return read_judge(source, name)


def read_judge(source: bytes, name: str) -> JudgePrompt:
    """Read a judge's prompt from its bytes; ``name`` is what errors call it. Raises PromptError."""
    try:
        file = JudgeFile.model_validate(load_mapping(source))
        for number, example in enumerate(file.examples, 1):
            _check_example(f"examples {number}", example)
        _check_templates(file)
    except ValidationError as error:
        raise PromptError(f"{name}: {first_problem(error, _KEYS)}") from error
    except FieldError as error:
        raise PromptError(f"{name}: {error}") from error
    return JudgePrompt(name, sha256(source).hexdigest(), source, file)


_KEYS = list(dict.fromkeys(key for part in (JudgeFile, JudgeResponse, JudgeExample) for key in part.model_fields))


def _check_example(place: str, example: JudgeExample) -> None:
    """An example answer keeps to the schema that the model is held to, and quotes what is there."""
    if example.verdict not in VERDICTS:
        raise FieldError(f"{place}, verdict", example.verdict, f"is no verdict; they are {', '.join(VERDICTS)}")
    for key, value, most in (("passage", example.passage, LONGEST_PASSAGE), ("why", example.why, LONGEST_WHY)):
        if len(value) > most:
            raise FieldError(f"{place}, {key}", value, f"has {len(value)} characters, and {most} are the most")
    if example.passage not in example.report:
        raise FieldError(f"{place}, passage", example.passage, "is not in its report; quote it letter by letter")
    if not example.passage and example.verdict not in MAY_QUOTE_NOTHING:
        raise FieldError(f"{place}, passage", "", f"is empty; quote what makes it {example.verdict}")


def _check_templates(file: JudgeFile) -> None:
    shown = {"report": "The spleen is of normal size.", "organ": "pleura", "caption": "no effusion"}
    field = "system"
    try:
        check_template(file.system, {"verdicts": VERDICTS})
        field = "message"
        for name, value in shown.items():
            check_template(
                file.message, shown, value, f"leaves the {name} out; write {{{{ {name} }}}} where it belongs"
            )
    except PromptTemplateError as error:
        raise FieldError(field, error.value, str(error)) from error
