"""What a server and an input say reaches the screen as text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ovct
from curation.runtime.terminal import escaped
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import HostileServer
from tests.curation.server_faults import fails, in_turn, says

from .trials import Trials, share

HOSTILE = ("\x1b]0;owned\x07", "\x1b[2J", "x[/]y", "[bold]z", "\x9b31m", "a\u202eb", "\rovct: all is well", "\ud800")


@pytest.mark.usefixtures("no_server_known")
def test_names_and_errors_of_a_server(trials: Trials, tmp_path: Path) -> None:
    trial = trials["a server's names, errors and a column's name hold escape sequences, markup or half characters"]
    for number in share(of_all=2 * len(HOSTILE), of_every_run=4):
        text, act = HOSTILE[number // 2], (says('{"captions": []}'), None)[number % 2]
        trial.tried += 1
        reports = tmp_path / "reports.csv"
        table = f'id,findings,"c{text}"\nr1,The liver is normal.,"{text}"\n"{text}",,\n'
        reports.write_bytes(table.encode("utf-8", "replace"))
        with HostileServer(behave=in_turn(then=act or fails(400, text)), models=[f"m{text}"]) as hostile:
            options = ["--engine", "openai", "--base-url", hostile.url, "--prompt", "organ_captions_short"]
            command = ["curate", str(reports), "--out", str(tmp_path / f"set-{number}"), *options]
            done = CliRunner().invoke(ovct.app, [*command, *(["--json"] if act and number % 4 else [])])
        trial.let_in += escaped(done.output) != done.output
        trial.survived += done.exit_code == (0 if act else 1) and not isinstance(done.exception, UnicodeError)
        if act and number % 4:
            json.loads(done.stdout)
