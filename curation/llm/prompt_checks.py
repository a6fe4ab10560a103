"""Checks prompts by the rules for captions: what an example shows must stand in the example's own report.

A model copies what it is shown. An example that adds, drops or flips something teaches just that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from curation.caption import Draft, RefusedCaption
from curation.extraction.text_engine import verify_drafts
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.report_statements import normalised
from curation.verification.verifier import Verifier
from prompts.prompt_file import Example, Prompt, PromptError, Response, load_prompt

from .draft_organs import narrow_to_caption

if TYPE_CHECKING:
    from rich.table import Table

SHOWN_PROBLEMS = 5
"""Problems that an error names; ``check_prompt`` returns all of them."""


def load_checked_prompt(name_or_path: str, verifier: Verifier | None = None) -> Prompt:
    """Load a prompt, shipped or from a file, and check its examples. Raises ``PromptError``.

    Without a ``verifier`` one is built, which takes about a second.
    """
    prompt = load_prompt(name_or_path, None if verifier is None else verifier.parser.vocabulary)
    problems = check_prompt(prompt, verifier)
    if not problems:
        return prompt
    lines = problems[:SHOWN_PROBLEMS]
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"and {len(problems) - SHOWN_PROBLEMS} more")
    raise PromptError(
        f"{prompt.name}: captions of examples are not in their own reports; word them as the report does, or leave "
        "them out:" + "".join(f"\n  {line}" for line in lines)
    )


def check_prompt(prompt: Prompt, verifier: Verifier | None = None) -> list[str]:
    """Return what is wrong with the examples of a prompt, one line for each caption that would be refused."""
    if not prompt.file.examples:
        return []
    verifier = verifier or Verifier()
    response = prompt.file.response
    examples = enumerate(prompt.file.examples, 1)
    return [line for number, example in examples for line in _problems(verifier, number, example, response)]


def _problems(verifier: Verifier, number: int, example: Example, response: Response) -> Iterator[str]:
    report = Report(f"example {number}", example.report, split_sections(example.report), {}, number)
    drafts = [Draft(row.organ, row.caption, quotes=row.passages) for row in example.captions]
    if response.form == "organs":
        drafts = [narrow_to_caption(verifier, draft) for draft in drafts]
    for caption in example.captions:
        for quote in caption.passages:
            if " ".join(quote.split()) not in " ".join(example.report.split()):
                yield f"example {number}, {caption.organ}: the quote “{quote}” is not in its report word for word"
    for row in verify_drafts(verifier, report, drafts, show_repeats=True, any_language=bool(response.quotes)).refused:
        yield f"example {number}, {_refusal_text(row)}"


def _refusal_text(row: RefusedCaption) -> str:
    nearest = f"; nearest passage: “{row.nearest}”" if row.nearest else ""
    return f"{row.organ}: “{row.caption}”: {row.reason}: {row.detail}{nearest}"


def example_captions(prompt: Prompt) -> frozenset[str]:
    """Return the captions of the examples, normalised: a model that gives one for another report has copied it."""
    return frozenset(normalised(row.caption) for example in prompt.file.examples for row in example.captions)


def prompt_facts(prompt: Prompt) -> str:
    """Return one line about a prompt whose examples hold."""
    examples = prompt.file.examples
    captions = sum(len(example.captions) for example in examples)
    shown = f"{captions} captions of {len(examples)} examples are in their own reports" if examples else "no examples"
    return f"{prompt.name}: {shown}; sha256 {prompt.hash}"


def prompt_table(prompts: Iterable[Prompt]) -> Table:
    """Return a table of prompts."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("prompt", "unit", "answer", "what it is"):
        table.add_column(column, no_wrap=column != "what it is")
    for prompt in prompts:
        file = prompt.file
        unit = f"{file.window} statements" if file.unit == "statement" else file.unit
        form = f"{len(file.response.organs)} organs" if file.response.organs else "a list"
        table.add_row(prompt.name, unit, form, file.description)
    return table
