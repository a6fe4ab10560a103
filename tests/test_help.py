"""The help of every command at 80 columns: as it was last looked at, and with no flag cut.

``python -m tests.test_help`` writes the texts anew, after a look at them.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import ovct

FOLDER = Path(__file__).parent / "help"


def commands() -> dict[str, Any]:
    """Every command and group by the words that call it."""
    root = get_command(ovct.app)
    found: dict[str, Any] = {"ovct": root}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found[f"ovct {name}"] = command
        for below, inner in getattr(command, "commands", {}).items():
            found[f"ovct {name} {below}"] = inner
    return found


def help_of(words: str, columns: int = 80) -> str:
    result = CliRunner().invoke(
        ovct.app, [*words.split()[1:], "--help"], prog_name="ovct", env={"COLUMNS": str(columns)}
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def snapshot(words: str) -> Path:
    """The file of a command's help; the commands of a group have a folder."""
    groups = words.split()[1:-1]
    return FOLDER.joinpath(*groups, f"{words.replace(' ', '-')}.txt")


@pytest.mark.parametrize("words", commands())
def test_help_is_as_it_was_last_looked_at(words: str) -> None:
    assert help_of(words) == snapshot(words).read_text(encoding="utf-8")


@pytest.mark.parametrize("words", commands())
@pytest.mark.parametrize("columns", [80, 60])
def test_no_flag_is_cut_and_no_line_is_too_long(words: str, columns: int) -> None:
    lines = help_of(words, columns).splitlines()
    for parameter in commands()[words].params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            for flag in (*parameter.opts, *parameter.secondary_opts):
                named = [line for line in lines if flag in line.replace(",", " ").split()]
                assert named, f"{flag} does not stand in the help of `{words}`"
    if columns == 80:
        assert [line for line in lines if len(line) > columns] == []


@pytest.mark.parametrize("words", commands())
def test_every_option_says_what_it_does(words: str) -> None:
    for parameter in commands()[words].params:
        assert parameter.help or parameter.hidden, f"{words} {parameter.name}"


@pytest.mark.parametrize("words", [words for words, command in commands().items() if not hasattr(command, "commands")])
def test_every_command_is_quiet_when_asked(words: str) -> None:
    flags = {flag for parameter in commands()[words].params for flag in parameter.opts}
    assert {"-q", "--quiet", "--debug", "-h", "--help"} <= flags | {"-h", "--help"}
    assert "-o" in flags or "--out" not in flags


def test_the_short_flag_asks_for_help() -> None:
    for words in ("ovct", "ovct curate", "ovct train", "ovct train align"):
        done = CliRunner().invoke(ovct.app, [*words.split()[1:], "-h"], prog_name="ovct", env={"COLUMNS": "80"})
        assert done.exit_code == 0 and done.stdout == help_of(words)


def test_completion_is_offered() -> None:
    """A shell asks the program what may come next."""
    environment = os.environ | {"_OVCT_COMPLETE": "complete_bash", "COMP_WORDS": "ovct st", "COMP_CWORD": "1"}
    script = "import sys, ovct; sys.argv = ['ovct']; ovct.main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=Path(ovct.__file__).parent
    )
    assert "stats" in done.stdout.split(), done.stderr


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.rglob("*.txt"):
        path.unlink()
    for words in commands():
        snapshot(words).parent.mkdir(exist_ok=True)
        snapshot(words).write_text(help_of(words), encoding="utf-8")
        print(snapshot(words))
