"""Prompts held against the same rules as captions: what an example shows must stand in the example's own report.

A model copies what it is shown. An example that adds, drops or flips something teaches just that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from curation.caption import Draft, RefusedCaption
from curation.extraction.text_engine import verify_drafts
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.organs import statement_organs
from curation.verification.statements_read import normalised
from curation.verification.verifier import Verifier
from prompts.prompt_file import Example, Prompt, PromptError, load_prompt

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = 5
"""Problems that an error names; ``check_prompt`` gives all of them."""


def load_checked_prompt(name_or_path: str, verifier: Verifier | None = None) -> Prompt:
    """Load a prompt, shipped or from a file, whose examples hold. Raises PromptError.

    Without a ``verifier`` one is built, which takes about a second.
    """
    prompt = load_prompt(name_or_path)
    problems = check_prompt(prompt, verifier)
    if not problems:
        return prompt
    lines = problems[:SHOWN] + [f"and {len(problems) - SHOWN} more"] * (len(problems) > SHOWN)
    raise PromptError(
        f"{prompt.name}: captions of examples are not in their own reports; word them as the report does, or leave "
        "them out:" + "".join(f"\n  {line}" for line in lines)
    )


def check_prompt(prompt: Prompt, verifier: Verifier | None = None) -> list[str]:
    """What is wrong with the examples of a prompt, one line for each caption that would be refused."""
    if not prompt.file.examples:
        return []
    checker = verifier or Verifier()
    by_key = prompt.file.response.form == "organs"
    numbered = enumerate(prompt.file.examples, 1)
    return [line for number, example in numbered for line in _problems(checker, number, example, by_key)]


def _problems(checker: Verifier, number: int, example: Example, by_key: bool) -> Iterator[str]:
    report = Report(f"example {number}", example.report, split_sections(example.report), {}, number)
    drafts = [Draft(row.organ, row.caption) for row in example.captions]
    if by_key:
        drafts = [filed(checker, draft) for draft in drafts]
    for row in verify_drafts(checker, report, drafts, show_repeats=True).refused:
        yield f"example {number}, {_told(row)}"


def filed(verifier: Verifier, draft: Draft) -> Draft:
    """A draft under a group such as "lungs", filed under the one organ within the group that its caption names."""
    group = verifier.resolve(draft.organ)
    if group is None:
        return draft
    vocabulary = verifier.reader.vocabulary
    named = statement_organs(verifier.reader, verifier.reader.analyse(draft.caption))
    organs = {vocabulary.filed_under(organ) for organ in named}
    within = organs & vocabulary.descendants(group)
    return replace(draft, organ=min(within)) if len(organs) == len(within) == 1 else draft


def _told(row: RefusedCaption) -> str:
    nearest = f"; nearest passage: “{row.nearest}”" if row.nearest else ""
    return f"{row.organ}: “{row.caption}”: {row.reason}: {row.detail}{nearest}"


def example_captions(prompt: Prompt) -> frozenset[str]:
    """The captions of the examples, normalised: a model that gives one of them for another report has copied it."""
    return frozenset(normalised(row.caption) for example in prompt.file.examples for row in example.captions)


def prompt_facts(prompt: Prompt) -> str:
    """One line about a prompt whose examples hold."""
    examples = prompt.file.examples
    captions = sum(len(example.captions) for example in examples)
    shown = f"{captions} captions of {len(examples)} examples are in their own reports" if examples else "no examples"
    return f"{prompt.name}: {shown}; sha256 {prompt.hash}"


def prompt_table(prompts: Iterable[Prompt]) -> Table:
    """Prompts side by side."""
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
