"""A prompt as a file: the instructions and examples for a language model, and the form of its answers.

A file is checked when it is loaded, so that it does not fail in the middle of a run. Whether the captions of its
examples are in their own reports is checked by the verifier (``curation/llm/prompt_checks.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from .answer_form import LONGEST_ORGAN, LONGEST_QUOTE, captions_schema, compact_json, organs_schema, quote_key
from .repair_template import DEFAULT_REPAIR, MAX_REPAIRED_CAPTIONS
from .templates import PromptTemplateError, check_template, render
from .vocabulary import ORGANS_FILE, Vocabulary, load_vocabulary
from .yaml_file import FieldError, FileSection, NonEmptyText, first_problem, load_mapping

Turn = tuple[Literal["system", "user", "assistant"], str]
"""The role and the content of one message."""
JUDGE_FILE = ORGANS_FILE.with_name("judge.yaml")
"""The shipped prompt of another kind, for a judge (``judge_file.py``)."""
MOST_QUOTES = 3
"""The most passages that one caption may be made from."""
_Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class PromptError(ValueError):
    """Raised for a prompt file that cannot be used; the message names file, field, value and the way out."""

    exit_code = 2


class ExampleCaption(FileSection):
    """A caption of an example. In the form ``organs``, ``organ`` is one of the listed organs, letter by letter.

    ``quote`` is the passage that it is made from, where answers have one, ``quotes`` are those where they have several.
    """

    organ: NonEmptyText
    quote: NonEmptyText | None = None
    quotes: tuple[NonEmptyText, ...] | None = None
    caption: NonEmptyText

    @property
    def passages(self) -> tuple[str, ...]:
        """The passages that it is made from, none where answers have no quotes."""
        return self.quotes or ((self.quote,) if self.quote else ())


class Example(FileSection):
    """A report, or a part of one, and the captions that a model should give for it."""

    report: NonEmptyText
    captions: tuple[ExampleCaption, ...]


class Response(FileSection):
    """The form of an answer.

    In the form ``organs`` each of ``organs`` is a key, with null where the report is silent about it and else a list of
    captions; in the form ``captions`` the answer is one list of organs with captions. ``max_captions`` is per organ in
    the first form and in all in the second. ``max_characters`` limits a caption, ``max_tokens`` the whole answer.
    ``quotes``: in the form ``captions`` each caption comes with the passage that it is made from, in the language of
    the report; with a number, up to 3, it is a list of up to so many passages.
    """

    form: Literal["organs", "captions"]
    organs: tuple[NonEmptyText, ...] = ()
    quotes: Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True, ge=1, le=MOST_QUOTES)] = False
    max_captions: _Count
    max_characters: _Count
    max_tokens: _Count


class PromptFile(FileSection):
    """The content of a prompt file.

    ``unit`` is what one question is about; with ``statement`` it is ``window`` statements at once. ``system``,
    ``message`` and ``repair`` are Jinja templates: the first is given ``organs``; the second also ``text`` and
    ``section`` (empty where the unit is the report); the third ``refused``, a list of rows with number, organ,
    caption, reason and passage, the organs that the passage is ``about``, the words of the caption that are
    ``missing`` in it, its ``other_words``, and ``other_passages`` with passage
    and about.
    """

    description: NonEmptyText
    unit: Literal["report", "section", "statement"]
    window: _Count = 4
    system: NonEmptyText
    message: NonEmptyText
    examples: tuple[Example, ...]
    response: Response
    repair: NonEmptyText = DEFAULT_REPAIR.strip()


@dataclass(frozen=True)
class Prompt:
    """A prompt file that was read. ``source`` holds the bytes of the file, and ``hash`` their SHA-256 (hex)."""

    name: str
    hash: str
    source: bytes = field(repr=False)
    file: PromptFile = field(repr=False)

    def messages(self, text: str, section: str = "") -> tuple[Turn, ...]:
        """Return the chat about a text; what is the same for all texts comes first, so that a model reads it once."""
        return (*self._opening, ("user", self._question(text, section)))

    def repair_messages(self, refused: Sequence[Mapping[str, Any]]) -> tuple[Turn, ...]:
        """Return the chat about refused captions: rows with the values that ``PromptFile`` names.

        It has neither ``system`` nor the examples, which ask for something else.
        """
        return (("user", render(self.file.repair, {"refused": refused})),)

    @property
    def quotes(self) -> bool:
        """Whether captions come with the passages that they are made from."""
        return bool(self.file.response.quotes)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer; the same object each time."""
        limits = self.file.response
        if limits.form == "captions":
            return captions_schema(limits.max_captions, limits.max_characters, limits.quotes)
        return organs_schema(limits.organs, limits.max_captions, limits.max_characters)

    @cached_property
    def repair_schema(self) -> dict[str, Any]:
        """The JSON schema of an answer to refused captions; the same object each time."""
        return captions_schema(MAX_REPAIRED_CAPTIONS, self.file.response.max_characters)

    @cached_property
    def _opening(self) -> tuple[Turn, ...]:
        turns: list[Turn] = [("system", render(self.file.system, {"organs": self.file.response.organs}))]
        section = "" if self.file.unit == "report" else "findings"
        for example in self.file.examples:
            turns.append(("user", self._question(example.report, section)))
            turns.append(("assistant", compact_json(_answer(self.file.response, example))))
        return tuple(turns)

    def _question(self, text: str, section: str) -> str:
        return render(self.file.message, {"text": text, "section": section, "organs": self.file.response.organs})


def shipped_prompts() -> tuple[str, ...]:
    """Return the names of the prompts for captions that come with ovct."""
    other_files = (ORGANS_FILE.name, JUDGE_FILE.name)
    return tuple(sorted(path.stem for path in ORGANS_FILE.parent.glob("*.yaml") if path.name not in other_files))


def load_prompt(name_or_path: str, vocabulary: Vocabulary | None = None) -> Prompt:
    """Load a shipped prompt by its name, or a prompt file by its path; see ``read_prompt``. Raises PromptError."""
    shipped = name_or_path in shipped_prompts()
    path = ORGANS_FILE.with_name(f"{name_or_path}.yaml") if shipped else Path(name_or_path)
    try:
        source = path.read_bytes()
    except OSError as error:
        names = ", ".join(shipped_prompts())
        way_out = f"cannot be read ({error.strerror}); give the path of a prompt file, or one of {names}"
        raise PromptError(f"prompt “{name_or_path}”: {way_out}") from error
    return read_prompt(source, name_or_path, vocabulary)


def read_prompt(source: bytes, name: str, vocabulary: Vocabulary | None = None) -> Prompt:
    """Read a prompt file from its bytes; errors call it ``name``. Raises PromptError.

    ``vocabulary`` knows the organs that it may ask for, by default the shipped one.
    """
    try:
        file = PromptFile.model_validate(load_mapping(source))
        _check(file, vocabulary or load_vocabulary())
    except ValidationError as error:
        raise PromptError(f"{name}: {first_problem(error, _KEYS)}") from error
    except FieldError as error:
        raise PromptError(f"{name}: {error}") from error
    return Prompt(name, sha256(source).hexdigest(), source, file)


_KEYS = [key for section in (PromptFile, Response, Example, ExampleCaption) for key in section.model_fields]


def _check(file: PromptFile, vocabulary: Vocabulary) -> None:
    """Check what no field shows alone. Raises FieldError."""
    if "window" in file.model_fields_set and file.unit != "statement":
        raise FieldError("window", file.window, "only goes with unit: statement; leave it out")
    _check_organs(file.response, vocabulary)
    for number, example in enumerate(file.examples, 1):
        _check_example(f"examples {number}", example, file.response)
    _check_templates(file)


def _check_organs(response: Response, vocabulary: Vocabulary) -> None:
    organs, resolve = response.organs, vocabulary.resolve
    if response.form == "captions" and organs:
        raise FieldError("response, organs", organs, "only goes with form: organs; leave it out")
    if response.form == "organs" and not organs:
        raise FieldError("response, organs", organs, "form: organs needs the list of organs to ask for")
    if response.form == "organs" and response.quotes:
        raise FieldError("response, quotes", response.quotes, "only goes with form: captions; leave it out")
    organ_of: dict[str, str] = {}
    for organ in organs:
        name = resolve(organ)
        if name is None:
            near = get_close_matches(organ, vocabulary.organs, 1)
            hint = f"did you mean “{near[0]}”?" if near else "its names stand in prompts/organs.yaml"
            raise FieldError("response, organs", organ, f"is not in the vocabulary; {hint}")
        if name in organ_of:
            raise FieldError("response, organs", organ, f"is the same organ as “{organ_of[name]}”; leave one out")
        organ_of[name] = organ


def _check_example(field: str, example: Example, response: Response) -> None:
    """Raise FieldError where an example's answer does not fit the schema of answers."""
    counts: Counter[str] = Counter()
    for number, (organ, caption) in enumerate(((row.organ, row.caption) for row in example.captions), 1):
        caption_field = f"{field}, captions {number}"
        if response.form == "organs" and organ not in response.organs:
            organs = ", ".join(response.organs)
            raise FieldError(f"{caption_field}, organ", organ, f"is not in response, organs: {organs}")
        limits = {"organ": (organ, LONGEST_ORGAN), "caption": (caption, response.max_characters)}
        _check_quote(caption_field, example.captions[number - 1], response, limits)
        for key, (value, longest) in limits.items():
            if len(value) > longest:
                problem = f"has {len(value)} characters, and {longest} are the most"
                raise FieldError(f"{caption_field}, {key}", value, problem)
        counts[organ if response.form == "organs" else ""] += 1
        if max(counts.values()) > response.max_captions:
            raise FieldError(
                field, caption, f"is one more than response, max_captions allows ({response.max_captions})"
            )


def _check_quote(field: str, caption: ExampleCaption, response: Response, limits: dict[str, tuple[str, int]]) -> None:
    """Raise FieldError where a caption has no quotes of the form that answers have; add their limits."""
    key, most = quote_key(response.quotes), int(response.quotes)
    for passage in caption.passages:
        limits[key] = max(limits.get(key, ("", 0)), (passage, LONGEST_QUOTE), key=lambda limit: len(limit[0]))
    if not response.quotes and caption.passages:
        raise FieldError(f"{field}, quote", caption.passages[0], "goes with response, quotes: true")
    if response.quotes and not getattr(caption, key):
        raise FieldError(f"{field}, {key}", None, f"needs a {key}, as response, quotes is {response.quotes}".lower())
    if len(caption.passages) > most:
        raise FieldError(f"{field}, {key}", caption.passages, f"has more than response, quotes allows ({most})")


def _check_templates(file: PromptFile) -> None:
    text, organs = "Pleural effusion was not observed.", {"organs": file.response.organs}
    section = "" if file.unit == "report" else "findings"
    row: dict[str, Any] = {
        "number": 1,
        "organ": "pleura",
        "caption": text,
        "reason": "negation",
        "passage": "Pleural effusion.",
    }
    row |= {"about": ("pleura",), "missing": ("not observed",), "other_words": ("large",), "other_passages": ()}
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
    """Return the answer that a model should give to an example."""
    if response.form == "captions":
        return {"captions": [row.model_dump(exclude_none=True) for row in example.captions]}
    by_organ = {organ: [row.caption for row in example.captions if row.organ == organ] for organ in response.organs}
    return {organ: captions or None for organ, captions in by_organ.items()}
