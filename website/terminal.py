"""What a command shows in a terminal, as a page: `terminal_page` runs it in one and keeps its colours."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 100
CONTROL = re.compile(r"\x1b\[(\d*)([A-HJK])|\x1b\[\?\d+[hl]|\r(?!\n)")
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 20px 26px; background: #15181c; color: #e8eaed; }}
pre {{ margin: 0; font: 15.5px/1.32 "DejaVu Sans Mono", monospace; }}
</style><body>{code}</body>"""


def terminal_page(command: Sequence[str], shown: str, folder: Path) -> str:
    """Run a command in a terminal of 100 columns, in `folder`, and return a page with `shown` as its prompt."""
    ours, its = pty.openpty()
    terminal = {"COLUMNS": f"{COLUMNS}", "LINES": "50", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with subprocess.Popen(command, cwd=folder, env=os.environ | terminal, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        written = b""
        try:
            while part := os.read(ours, 1 << 16):
                written += part
        except OSError:  # Linux says so when the other end is closed
            pass
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{shown}: ended with {process.returncode}:\n{written.decode()}")
    text = Text.from_ansi(f"\x1b[1m$ {shown}\x1b[0m\n" + "\n".join(screen(written.decode())))
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(text, soft_wrap=True)
    return console.export_html(inline_styles=True, code_format=PAGE.replace("{code}", "<pre>{code}</pre>"))


def screen(written: str) -> list[str]:
    """Return the lines that a terminal holds in the end: progress that was drawn over or taken back is gone."""
    lines, row = [""], 0
    for line in re.split(r"(\r?\n)", written):
        if line.endswith("\n"):
            row += 1
            lines += [""] * (row + 1 - len(lines))
            continue
        place = 0
        for found in CONTROL.finditer(line):
            lines[row] += line[place : found.start()]
            place = found.end()
            if found[2] == "A":
                row = max(0, row - int(found[1] or 1))
            elif found[2] == "K" or found[0] == "\r":
                lines[row] = ""
        lines[row] += line[place:]
    return lines
