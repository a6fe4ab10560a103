"""A prompt as a file: what a language model is told and shown, and the form its answers take.

What can be wrong with a file is found when it is loaded, not in the middle of a run. Whether the captions of its
examples are in their own reports is for the verifier to say (``curation/llm/prompt_checks.py``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from .answer_form import LONGEST_ORGAN, captions_schema, organs_schema
from .templates import PromptTemplateError, check_template, render
from .vocabulary import ORGANS_FILE, load_vocabulary
from .yaml_file import FieldError, first_problem, load_mapping

Turn = tuple[Literal["system", "user", "assistant"], str]
"""Role and content of one message."""
JUDGE_FILE = ORGANS_FILE.with_name("judge.yaml")
"""A prompt too, but one of another kind (``judge_file.py``)."""
MOST_REPAIRED = 24
"""Captions in an answer about refused ones: a dozen goes back at once, and of one there may come two."""
DEFAULT_REPAIR = """\
Captions of a CT report were refused: as they are worded or filed, the report does not say them. Each one comes with the
organ it was filed under, the reason, and the passage of the report that is nearest to it.

Put each of them right: name the organ that its passage is about, and say in the words of the passage what it says about
that organ, with every "no", side, size and doubt. If a passage speaks of several organs, choose the one that the
caption was about. Leave a caption out only if its passage says nothing about any organ. For example:

1. lungs: no pleural effusion
   refused: the evidence is about pleura, not lungs
   passage: Pleural effusion was not observed.
2. left kidney: 12 mm cyst in the left kidney
   refused: the evidence has 8 mm
   passage: There is an 8 mm cyst in the left kidney.

{"captions":[{"organ":"pleura","caption":"Pleural effusion was not observed."},{"organ":"left kidney","caption":"8 mm \
cyst in the left kidney"}]}

These are the captions to put right. Answer with JSON of the same form, and nothing else.

{% for row in refused %}
{{ row.number }}. {{ row.organ }}: {{ row.caption }}
   refused: {{ row.reason }}
   passage: {{ row.passage }}
{% endfor %}
"""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class PromptError(ValueError):
    """A prompt file that cannot be used; the message names the file, the field, its value and the way out."""

    exit_code = 2


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExampleCaption(_Part):
    """A caption of an example. ``organ`` is, in the form ``organs``, one of the listed ones, letter by letter."""

    organ: _Text
    caption: _Text


class Example(_Part):
    """A report, or a part of one, and the captions that a model should give for it."""

    report: _Text
    captions: tuple[ExampleCaption, ...]


class Response(_Part):
    """The form of an answer. ``organs``: each of ``organs`` is a key, null where the report is silent about it, else
    a list of captions. ``captions``: one list of organs with captions.

    ``max_captions`` is per organ in the first form and in all in the second. ``max_characters`` limits a caption,
    ``max_tokens`` the whole answer.
    """

    form: Literal["organs", "captions"]
    organs: tuple[_Text, ...] = ()
    max_captions: _Count
    max_characters: _Count
    max_tokens: _Count


class PromptFile(_Part):
    """What a prompt file holds.

    ``unit`` is what one question is about; with ``statement`` it is ``window`` statements at once. ``system``,
    ``message`` and ``repair`` are Jinja templates: the first knows ``organs``; the second also ``text`` and
    ``section`` (empty where the unit is the report); the third ``refused``, a list of rows with number, organ,
    caption, reason and passage.
    """

    description: _Text
    unit: Literal["report", "section", "statement"]
    window: _Count = 4
    system: _Text
    message: _Text
    examples: tuple[Example, ...]
    response: Response
    repair: _Text = DEFAULT_REPAIR.strip()


@dataclass(frozen=True)
class Prompt:
    """A prompt file that was read. ``source`` is the file as it is, and ``hash`` the SHA-256 of that."""

    name: str
    hash: str
    source: bytes = field(repr=False)
    file: PromptFile = field(repr=False)

    def messages(self, text: str, section: str = "") -> tuple[Turn, ...]:
        """The chat about a text. All that does not depend on it comes first, so that a model reads that once."""
        return (*self._opening, ("user", self._question(text, section)))

    def repair_messages(self, refused: Sequence[Mapping[str, Any]]) -> tuple[Turn, ...]:
        """The chat about refused captions: rows of number, organ, caption, reason and passage.

        It has neither ``system`` nor the examples, which ask for something else.
        """
        return (("user", render(self.file.repair, {"refused": refused})),)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of an answer; the same object each time."""
        limits = self.file.response
        if limits.form == "captions":
            return captions_schema(limits.max_captions, limits.max_characters)
        return organs_schema(limits.organs, limits.max_captions, limits.max_characters)

    @cached_property
    def repair_schema(self) -> dict[str, Any]:
        """JSON schema of an answer to refused captions; the same object each time."""
        return captions_schema(MOST_REPAIRED, self.file.response.max_characters)

    @cached_property
    def _opening(self) -> tuple[Turn, ...]:
        turns: list[Turn] = [("system", render(self.file.system, {"organs": self.file.response.organs}))]
        section = "" if self.file.unit == "report" else "findings"
        for example in self.file.examples:
            # Without spaces: constrained decoding writes it so, and it saves tokens.
            answer = json.dumps(_answer(self.file.response, example), ensure_ascii=False, separators=(",", ":"))
            turns += [("user", self._question(example.report, section)), ("assistant", answer)]
        return tuple(turns)

    def _question(self, text: str, section: str) -> str:
        return render(self.file.message, {"text": text, "section": section, "organs": self.file.response.organs})


def shipped_prompts() -> tuple[str, ...]:
    """Names of the prompts for captions that come with ovct."""
    others = (ORGANS_FILE.name, JUDGE_FILE.name)
    return tuple(sorted(path.stem for path in ORGANS_FILE.parent.glob("*.yaml") if path.name not in others))


def load_prompt(name_or_path: str) -> Prompt:
    """Load a shipped prompt by its name, or a prompt file by its path. Raises PromptError."""
    shipped = name_or_path in shipped_prompts()
    path = ORGANS_FILE.with_name(f"{name_or_path}.yaml") if shipped else Path(name_or_path)
    try:
        source = path.read_bytes()
    except OSError as error:
        names = ", ".join(shipped_prompts())
        way_out = f"cannot be read ({error.strerror}); give the path of a prompt file, or one of {names}"
        raise PromptError(f"prompt “{name_or_path}”: {way_out}") from error
    return read_prompt(source, name_or_path)


def read_prompt(source: bytes, name: str) -> Prompt:
    """Read a prompt file from its bytes; ``name`` is what errors call it. Raises PromptError."""
    try:
        file = PromptFile.model_validate(load_mapping(source))
        _check(file)
    except ValidationError as error:
        raise PromptError(f"{name}: {first_problem(error, _KEYS)}") from error
    except FieldError as error:
        raise PromptError(f"{name}: {error}") from error
    return Prompt(name, sha256(source).hexdigest(), source, file)


_KEYS = [key for part in (PromptFile, Response, Example, ExampleCaption) for key in part.model_fields]


def _check(file: PromptFile) -> None:
    """What no single field shows."""
    if "window" in file.model_fields_set and file.unit != "statement":
        raise FieldError("window", file.window, "only goes with unit: statement; leave it out")
    _check_organs(file.response)
    for number, example in enumerate(file.examples, 1):
        _check_example(f"examples {number}", example, file.response)
    _check_templates(file)


def _check_organs(response: Response) -> None:
    organs, resolve = response.organs, load_vocabulary().resolve
    if response.form == "captions" and organs:
        raise FieldError("response, organs", organs, "only goes with form: organs; leave it out")
    if response.form == "organs" and not organs:
        raise FieldError("response, organs", organs, "form: organs needs the list of organs to ask for")
    names: dict[str, str] = {}
    for organ in organs:
        name = resolve(organ)
        if name is None:
            near = get_close_matches(organ, load_vocabulary().organs, 1)
            hint = f"did you mean “{near[0]}”?" if near else "its names stand in prompts/organs.yaml"
            raise FieldError("response, organs", organ, f"is not in the vocabulary; {hint}")
        if name in names:
            raise FieldError("response, organs", organ, f"is the same organ as “{names[name]}”; leave one out")
        names[name] = organ


def _check_example(place: str, example: Example, response: Response) -> None:
    """An example answer keeps to the schema that the model is held to."""
    counts: Counter[str] = Counter()
    for number, (organ, caption) in enumerate(((row.organ, row.caption) for row in example.captions), 1):
        where = f"{place}, captions {number}"
        if response.form == "organs" and organ not in response.organs:
            raise FieldError(f"{where}, organ", organ, f"is not in response, organs: {', '.join(response.organs)}")
        longest = {"organ": (organ, LONGEST_ORGAN), "caption": (caption, response.max_characters)}
        for key, (value, most) in longest.items():
            if len(value) > most:
                raise FieldError(f"{where}, {key}", value, f"has {len(value)} characters, and {most} are the most")
        counts[organ if response.form == "organs" else ""] += 1
        if max(counts.values()) > response.max_captions:
            raise FieldError(
                place, caption, f"is one more than response, max_captions allows ({response.max_captions})"
            )


def _check_templates(file: PromptFile) -> None:
    text, organs = "Pleural effusion was not observed.", {"organs": file.response.organs}
    section = "" if file.unit == "report" else "findings"
    row = {"number": 1, "organ": "pleura", "caption": text, "reason": "negation", "passage": "Pleural effusion."}
    try:
        field = "system"
        check_template(file.system, organs)
        field = "message"
        values = {"text": text, "section": section, **organs}
        check_template(file.message, values, text, "leaves the text out; write {{ text }} where it belongs")
        field = "repair"
        check_template(file.repair, {"refused": [row]}, text, "leaves the captions out; loop over refused to show them")
    except PromptTemplateError as error:
        raise FieldError(field, error.value, str(error)) from error


def _answer(response: Response, example: Example) -> dict[str, Any]:
    """The answer that a model should give to an example."""
    if response.form == "captions":
        return {"captions": [row.model_dump() for row in example.captions]}
    by_organ = {organ: [row.caption for row in example.captions if row.organ == organ] for organ in response.organs}
    return {organ: captions or None for organ, captions in by_organ.items()}
