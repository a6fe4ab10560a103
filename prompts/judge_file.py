"""The prompt of a judge: how a language model is asked for a verdict on one caption, checked against its report.

It is a file of its own kind. Examples, and the text that explains the verdicts, can be replaced; the verdicts and the
form of an answer cannot, so that judges can be compared with each other and with people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from .answer_form import compact_json, object_schema
from .prompt_file import JUDGE_FILE, PromptError, Turn
from .templates import PromptTemplateError, check_template, render
from .yaml_file import FieldError, FileSection, NonEmptyText, first_problem, load_mapping

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
"""The most characters of the two texts in an answer."""
VERDICTS_WITHOUT_PASSAGE = ("hallucinated", "unsure")
"""Verdicts for which a report may hold no passage at all; any other is about something that the report says."""

_Quote = Annotated[str, StringConstraints(strip_whitespace=True)]


class JudgeExample(FileSection):
    """A caption, the organ it is filed under, its report, and the answer that a judge should give.

    ``passage`` is a quotation from the report; empty where there is none to quote.
    """

    report: NonEmptyText
    organ: NonEmptyText
    caption: NonEmptyText
    passage: _Quote
    why: NonEmptyText
    verdict: NonEmptyText


class JudgeResponse(FileSection):
    """Limits of an answer: ``max_tokens`` for the whole of it."""

    max_tokens: Annotated[int, Field(strict=True, ge=1, le=100_000)]


class JudgeFile(FileSection):
    """The content of the file.

    ``system`` and ``message`` are Jinja templates: the first is given ``verdicts``, their names; the second ``report``,
    ``organ`` and ``caption``. The report is best shown first, so that a model reads it once for all its captions.
    """

    description: NonEmptyText
    system: NonEmptyText
    message: NonEmptyText
    examples: tuple[JudgeExample, ...]
    response: JudgeResponse


@dataclass(frozen=True)
class JudgePrompt:
    """A judge's prompt that was read. ``source`` holds the bytes of the file, and ``hash`` their SHA-256 (hex)."""

    name: str
    hash: str
    source: bytes = field(repr=False)
    file: JudgeFile = field(repr=False)

    def messages(self, report: str, organ: str, caption: str) -> tuple[Turn, ...]:
        """Return the chat about a caption; what is the same for all captions comes first, so that it is read once."""
        return (*self._opening, ("user", self._question(report, organ, caption)))

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer; the same object each time. A model quotes and explains before it decides."""
        properties: dict[str, Any] = {
            "passage": {"type": "string", "maxLength": LONGEST_PASSAGE},
            "why": {"type": "string", "maxLength": LONGEST_WHY},
            "verdict": {"type": "string", "enum": list(VERDICTS)},
        }
        return object_schema(properties)

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
    return compact_json({"passage": example.passage, "why": example.why, "verdict": example.verdict})


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
    """Read a judge's prompt from its bytes; errors call it ``name``. Raises PromptError."""
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


_KEYS = list(dict.fromkeys(key for section in (JudgeFile, JudgeResponse, JudgeExample) for key in section.model_fields))


def _check_example(field: str, example: JudgeExample) -> None:
    """Raise FieldError where an example's answer does not fit the schema of answers, or does not quote its report."""
    if example.verdict not in VERDICTS:
        raise FieldError(f"{field}, verdict", example.verdict, f"is no verdict; they are {', '.join(VERDICTS)}")
    for key, value, longest in (("passage", example.passage, LONGEST_PASSAGE), ("why", example.why, LONGEST_WHY)):
        if len(value) > longest:
            raise FieldError(f"{field}, {key}", value, f"has {len(value)} characters, and {longest} are the most")
    if example.passage not in example.report:
        raise FieldError(f"{field}, passage", example.passage, "is not in its report; quote it letter by letter")
    if not example.passage and example.verdict not in VERDICTS_WITHOUT_PASSAGE:
        raise FieldError(f"{field}, passage", "", f"is empty; quote what makes it {example.verdict}")


def _check_templates(file: JudgeFile) -> None:
    sample = {"report": "The spleen is of normal size.", "organ": "pleura", "caption": "no effusion"}
    field = "system"
    try:
        check_template(file.system, {"verdicts": VERDICTS})
        field = "message"
        for name, value in sample.items():
            check_template(
                file.message, sample, value, f"leaves the {name} out; write {{{{ {name} }}}} where it belongs"
            )
    except PromptTemplateError as error:
        raise FieldError(field, error.value, str(error)) from error
