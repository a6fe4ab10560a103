"""What goes to the screen holds nothing that a terminal obeys, wherever it comes from."""

import ast
import io
import json
import logging
import warnings
from pathlib import Path

import pytest
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from curation.runtime.progress import TerminalProgress
from curation.runtime.terminal import escape_warnings, escaped, json_text, log, on_one_line, say, without_surrogates
from curation.runtime.terminal_console import EscapingConsole

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\rd\x9be\u202ef\u2028g\ud800h[/]i[bold]"
SEEN = "a\\x1b]0;title\\x07b\\x1b[2Jc\\x0dd\\x9be\\u202ef\\u2028g\\ud800h[/]i[bold]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain – „words“ × 3, µm, 肝, é, 👍🏽", "plain – „words“ × 3, µm, 肝, é, 👍🏽"),
        ("two\r\n\tlines\n", "two\r\n\tlines\n"),
        (HOSTILE, SEEN),
        ("\x00\x7f\x85\u2066\u200f", "\\x00\\x7f\\x85\\u2066\\u200f"),
    ],
)
def test_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_a_name_stays_on_its_line() -> None:
    assert on_one_line("a\novct: done\tx\x1b") == "a\\novct: done\\tx\\x1b"
    assert without_surrogates("a\udfffb") == "a?b"


def test_lines_logs_and_warnings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    say(HOSTILE)
    say(HOSTILE, err=True)
    handler = logging.StreamHandler(out := io.StringIO())
    log.addHandler(handler)
    log.warning("the server says %s", HOSTILE)
    log.removeHandler(handler)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    escape_warnings()
    shown = warnings.formatwarning(UserWarning(HOSTILE), UserWarning, "file.py", 3)
    printed = capsys.readouterr()
    assert printed.out == printed.err == f"{SEEN}\n"
    assert out.getvalue() == f"the server says {SEEN}\n" and f"UserWarning: {SEEN}" in shown


def test_json_keeps_its_values() -> None:
    text = json_text({"name": HOSTILE})
    assert escaped(text) == text and json.loads(text) == {"name": HOSTILE}


def test_tables_lines_and_progress_read_no_markup() -> None:
    console = EscapingConsole(file=(out := io.StringIO()))
    console.width = 200
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE))
    console.print(table)
    console.print(HOSTILE)
    console.print(Text(HOSTILE))
    assert out.getvalue().count(SEEN) == 4
    assert escaped(out.getvalue()) == out.getvalue()


def test_a_live_bar_moves_the_cursor_and_a_message_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    console = EscapingConsole(file=(out := io.StringIO()))
    monkeypatch.setattr(type(console), "is_terminal", True)
    with Progress(console=console) as bar:
        bar.add_task("x", total=3)
        bar.console.print(HOSTILE)
    assert "\x1b[" in out.getvalue() and SEEN in out.getvalue() and "\x1b]0" not in out.getvalue()


def test_the_progress_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TerminalProgress("reports")
    progress.warning(HOSTILE)
    assert capsys.readouterr().err == f"ovct: {SEEN}\n"


PRINTERS = ("print", "typer.echo", "typer.secho", "Console", "sys.stdout.write", "sys.stderr.write")
EXCEPT = {
    "curation/engines/vllm.py",  # pipes to its own process
    "curation/engines/vllm_host.py",
    "curation/runtime/terminal.py",
    "curation/cli/verify.py",  # a file, where stdout is no terminal
    "ovct.py",  # before anything of ours is imported
}


def test_no_other_module_prints() -> None:
    """One place escapes, so whatever prints has to pass it."""
    files = [*(path for folder in ("curation", "train", "models", "prompts") for path in (ROOT / folder).rglob("*.py"))]
    found = {
        str(path.relative_to(ROOT))
        for path in [*files, ROOT / "ovct.py"]
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PRINTERS
    }
    assert found <= EXCEPT


def test_loggers_are_those_that_escape() -> None:
    for path in (ROOT / "curation").rglob("*.py"):
        assert 'getLogger("ovct")' not in path.read_text() or path.name == "terminal.py", path
