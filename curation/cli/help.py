"""Help texts of the commands: options in named sections, readable at 80 columns, and no flag name cut."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# A flag and its value stand on a line of their own where they are longer than this.
LONGEST_FLAG = 24
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EXIT_CODES = (
    "Exit codes: 0 done, 1 failed under way (what was finished is kept), 2 wrong call or input, 130 interrupted."
)
# "[default: (none); x>=1]", as Typer writes it.
DEFAULT = re.compile(r"\[default: \(((?:[^()]|\([^()]*\))*)\)")
# "REPORTS <path>", as Typer writes an argument.
ARGUMENT_TYPE = re.compile(r" <[^>]*>$")
OPEN_RANGE = re.compile(r"(?:; |(?<=\[))x>=[\d.]+")
# The section of options that every command has.
GENERAL = "General"


class HelpCommand(TyperCommand):
    """A command whose help lists its options section by section, the commonly used ones first.

    An option's section is its ``rich_help_panel``; options without one stand first, those of ``GENERAL`` last.
    """

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write how the command is called."""
        pieces = (piece.replace("{", "").replace("}", "") for piece in self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, " ".join(pieces))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the sections of options."""
        for name, records in help_sections(self, ctx).items():
            with formatter.section(name):
                formatter.write_dl(records, col_max=LONGEST_FLAG)


class HelpGroup(TyperGroup):
    """A group whose help shows the whole first sentence of each command, section by section."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands in the order in which they were registered."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            if not command.hidden:
                sentence = (command.help or "").strip().partition("\n")[0]
                section = getattr(command, "rich_help_panel", None) or "Commands"
                sections.setdefault(section, []).append((name, sentence))
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)


def help_sections(command: Any, context: Any) -> dict[str, list[tuple[str, str]]]:
    """Return what a command takes, by section: the flags of an option, or the name of an argument, each with its text.

    Arguments and options without a section stand first, the options that every command has last.
    """
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    general: list[tuple[str, str]] = []
    for parameter in command.get_params(context):
        record = _tidy(parameter.get_help_record(context))
        if record is None:
            continue
        name = getattr(parameter, "rich_help_panel", None)
        if name == GENERAL or parameter.name == "help":
            general.append(record)
        elif parameter.param_type_name == "argument":
            sections["Arguments"].append(record)
        else:
            sections.setdefault(name or "Options", []).append(record)
    return {name: records for name, records in {**sections, GENERAL: general}.items() if records}


def _tidy(record: tuple[str, str] | None) -> tuple[str, str] | None:
    """Write a default as it is, leave out ranges without an end, and the type of an argument."""
    if record is None:
        return None
    name, text = record
    text = DEFAULT.sub(r"[default: \1", text)
    return ARGUMENT_TYPE.sub("", name), OPEN_RANGE.sub("", text).removesuffix("  []")


def command_group(help: str, *, cls: type[HelpGroup] = HelpGroup, **settings: Any) -> typer.Typer:
    """Return an app or a group of commands with help of this kind."""
    return typer.Typer(
        cls=cls,
        help=help,
        context_settings=SETTINGS,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        **settings,
    )
