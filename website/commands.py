"""The reference of the command line: a page for each command, made from its definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main

import ovct
from curation.cli.help import EXIT_CODES, help_sections

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "docs" / "schemas"


@dataclass(frozen=True)
class CommandPage:
    """A command, the words that call it, and the groups above it."""

    words: str
    command: Any
    context: Any

    @property
    def file_name(self) -> str:
        """Return the name of its page."""
        return f"{self.words.replace(' ', '-')}.md"

    @property
    def sentence(self) -> str:
        """Return the first sentence of its help."""
        return " ".join((self.command.help or "").partition("\n\n")[0].split())


def all_commands() -> list[CommandPage]:
    """Return every command and every group that users see, in the order of the help."""
    root = typer.main.get_command(ovct.app)
    return list(_walk("ovct", root, None))


def _walk(words: str, command: Any, parent: Any) -> Iterator[CommandPage]:
    context = command.context_class(command, info_name=words.split()[-1], parent=parent, **command.context_settings)
    yield CommandPage(words, command, context)
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from _walk(f"{words} {name}", below, context)


def command_page(page: CommandPage, pages: list[CommandPage]) -> str:
    """Return the page of a command as Markdown."""
    usage = " ".join(page.command.collect_usage_pieces(page.context)).replace("{", "").replace("}", "")
    lines = [f"# {page.words}", "", *_paragraphs(page.command.help), "", "```text", f"{page.words} {usage}", "```", ""]
    below = [other for other in pages if other.words.rpartition(" ")[0] == page.words]
    if below:
        lines += ["## Commands", ""]
        lines += [f"- [`{other.words}`]({other.file_name}): {other.sentence}" for other in below] + [""]
    for section, records in help_sections(page.command, page.context).items():
        lines += [f"## {section}", ""]
        for flags, text in records:
            lines += [f"`{flags}`", f": {_escaped(text) or 'No more is told of it.'}", ""]
    if schemas := _schemas_of(page.words):
        lines += ["## What `--json` prints", ""]
        lines += [f"- {{download}}`{path.name} <../schemas/{path.name}>`" for path in schemas] + [""]
    lines += ["## Exit codes", "", f"{EXIT_CODES.removeprefix('Exit codes: ').capitalize()}", ""]
    return "\n".join(lines)


def overview_page(pages: list[CommandPage]) -> str:
    """Return the page that lists all commands."""
    lines = [
        "# Commands",
        "",
        "Made from the definitions of the commands. `ovct COMMAND -h` shows the same in a terminal.",
        "",
    ]
    lines += ["| command | what it does |", "| --- | --- |"]
    lines += [f"| [`{page.words}`]({page.file_name}) | {_escaped(page.sentence)} |" for page in pages]
    return "\n".join([*lines, ""])


def _schemas_of(words: str) -> list[Path]:
    """Return the schemas of what a command prints with ``--json``: those that are named after it."""
    name = words.removeprefix("ovct ").replace(" ", "-")
    return [path for path in sorted(SCHEMAS.glob("*.json")) if path.stem == name or path.stem.startswith(f"{name}-")]


def _paragraphs(text: str | None) -> list[str]:
    return [_escaped(line) for line in (text or "").strip().splitlines()]


def _escaped(text: str) -> str:
    """Return a help text as Markdown: what is between backticks stays, and other marks are taken as they are."""
    pieces = text.split("`")
    pieces[::2] = ["".join(f"\\{sign}" if sign in "*_<>[]|{}" else sign for sign in piece) for piece in pieces[::2]]
    return "`".join(pieces)
