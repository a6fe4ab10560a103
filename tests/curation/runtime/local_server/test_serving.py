"""A server's port and browser, and the file that leads to its link."""

import signal
import socket
import stat
import time
from pathlib import Path

import pytest
from fastapi import FastAPI

from curation.runtime.errors import InputError, Interrupted
from curation.runtime.local_server.serving import LocalServer, bind_port, redirect_file, serve


def test_a_port_that_is_taken() -> None:
    with bind_port(0, 0) as listener:
        port = listener.getsockname()[1]
        assert listener.getsockname()[0] == "127.0.0.1" and listener.proto == socket.IPPROTO_TCP
        with pytest.raises(InputError, match=rf"--port {port}: .*--port 0"):
            bind_port(port, 0)
        with bind_port(None, port) as second:
            assert second.getsockname()[1] != port


@pytest.mark.parametrize(("name", "opens"), [("DISPLAY", True), ("WAYLAND_DISPLAY", True), ("LANG", False)])
def test_a_browser_is_opened_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch, name: str, opens: bool) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr("sys.platform", "linux")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(LocalServer, "run", lambda self, sockets: time.sleep(0.2))
    with bind_port(0, 0) as listener:
        serve(FastAPI(), listener, "http://link")
    assert opened == ["http://link"] * opens


def test_the_file_that_leads_to_the_link_is_the_users_alone_and_does_not_stay(tmp_path: Path) -> None:
    path = tmp_path / "open.html"
    with redirect_file(path, 'http://127.0.0.1:1/?token=a"b&c', "The <page>") as url:
        assert url == path.as_uri() and stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "token=a&quot;b&amp;c" in path.read_text() and "The &lt;page&gt;" in path.read_text()
    assert not path.exists()


def test_ctrl_c_before_the_server_takes_signals_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise Interrupted

    async def main_loop(self: LocalServer) -> None:
        pytest.fail("the server goes on")

    monkeypatch.setattr(LocalServer, "main_loop", main_loop)

    before = signal.getsignal(signal.SIGINT)
    with bind_port(0, 0) as listener:
        serve(FastAPI(), listener, None, interrupted)
    assert signal.getsignal(signal.SIGINT) is before
