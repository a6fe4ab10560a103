"""`ovct mcp` as a client of the protocol meets it: a process of its own, spoken to on stdin and stdout."""

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import nibabel
import numpy as np
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult
from typer.testing import CliRunner

from curation.caption_set.manifest import load_manifest
from ovct import app
from tests.train.inference.segment_cases import affine_of, hounsfield, nifti, tiny_checkpoint

ROOT = Path(__file__).resolve().parents[3]
READ_ONLY = {"curate": True, "verify": True, "show": True, "segment": True}
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What may be read: a few reports, and beside the folder what may not."""
    (tmp_path / "given").mkdir()
    rows = [f"r{i},The liver is normal. There is a {i + 2} mm stone in the left kidney." for i in range(5)]
    (tmp_path / "given/reports.csv").write_text("\n".join(["report_id,findings", *rows, ",", ""]))
    (tmp_path / "secret.csv").write_text("report_id,findings\nhidden,The spleen is normal.\n")
    return tmp_path


def parameters(folder: Path, *arguments: str) -> StdioServerParameters:
    command = ["-m", "ovct", "mcp", "--folder", str(folder / "given"), *arguments]
    return StdioServerParameters(command=sys.executable, args=command, env=ENVIRONMENT, cwd=folder)


@asynccontextmanager
async def connected(folder: Path, *arguments: str, mode: str = "auto") -> AsyncIterator[Client]:
    with (folder / "stderr.txt").open("a") as errors:
        async with Client(stdio_client(parameters(folder, *arguments), errlog=errors), mode=mode) as client:
            yield client


def with_client(
    folder: Path, scenario: Callable[[Client], Awaitable[None]], *arguments: str, mode: str = "auto"
) -> None:
    async def run() -> None:
        with anyio.fail_after(300):
            async with connected(folder, *arguments, mode=mode) as client:
                await scenario(client)

    anyio.run(run)


def content(result: Any) -> dict[str, Any]:
    assert isinstance(result, CallToolResult) and not result.is_error, result.content
    assert result.structured_content is not None
    return dict(result.structured_content)


def error(result: Any) -> str:
    assert isinstance(result, CallToolResult) and result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} - {"stderr.txt"}


def test_without_a_folder_for_output_all_is_read_only(folder: Path) -> None:
    before = files_below(folder)

    async def scenario(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        told = {name: tool.annotations and tool.annotations.read_only_hint for name, tool in tools.items()}
        assert told == READ_ONLY
        assert all(tool.annotations and tool.annotations.destructive_hint is False for tool in tools.values())
        made = content(await client.call_tool("curate", {"reports": "reports.csv"}))
        jsonschema.validate(made, tools["curate"].output_schema or False)
        assert (made["folder"], made["reports"], made["more"]) == (None, 5, False)
        assert made["problem_count"] == 1 and "row 6" in made["problems"][0]
        kidney = [one for one in made["page"]["reports"][1]["captions"] if one["organ"] == "left kidney"]
        assert kidney[0]["evidence"][0]["text"] == "There is a 3 mm stone in the left kidney."
        texts = content(await client.call_tool("curate", {"texts": ["The spleen is enlarged."]}))
        assert texts["accepted"] == 1
        assert "--out-folder" in error(await client.call_tool("curate", {"reports": "reports.csv", "out": "set"}))
        assert "--checkpoint" in error(await client.call_tool("segment", {"scan": "a.nii", "prompts": ["liver"]}))

    with_client(folder, scenario)
    assert files_below(folder) == before


def test_a_caption_set_is_written_shown_and_not_replaced(folder: Path) -> None:
    out = folder / "out"
    notes: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        notes.append((progress, total, message))

    async def scenario(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        told = {name: tool.annotations and tool.annotations.read_only_hint for name, tool in tools.items()}
        assert told == {**READ_ONLY, "curate": False, "segment": False}
        call = {"reports": "reports.csv", "out": "set"}
        made = content(await client.call_tool("curate", call, progress_callback=note))
        assert made["folder"] == str(out / "set") and not made["already_done"]
        assert content(await client.call_tool("curate", call))["already_done"]
        other = error(await client.call_tool("curate", {**call, "limit": 2}))
        assert "set" in other and "limit" in other
        page = content(await client.call_tool("show", {"captions": str(out / "set"), "limit": 2}))
        jsonschema.validate(page, tools["show"].output_schema or False)
        assert [one["report_id"] for one in page["reports"]] == ["r0", "r1"] and page["next"] == "3"
        rest = content(await client.call_tool("show", {"captions": str(out / "set"), "start": "3"}))
        assert [one["report_id"] for one in rest["reports"]] == ["r2", "r3", "r4"] and rest["next"] is None
        named = {"captions": str(out / "set"), "report_ids": ["r3"], "organ": "left kidney", "status": "abnormal"}
        assert content(await client.call_tool("show", named))["total_reports"] == 1
        assert "has no report 'r9'" in error(await client.call_tool("show", {**named, "report_ids": ["r9"]}))

    with_client(folder, scenario, "--out-folder", str(out))
    assert notes and notes[-1][0] > 0 and notes[0][2] and "reports.csv" in notes[0][2]
    assert [path.name for path in out.iterdir()] == ["set"]


@pytest.mark.parametrize("way", ["../secret.csv", "link.csv", "/etc/passwd", "reports.csv/../../secret.csv"])
def test_no_way_leads_out(folder: Path, way: str) -> None:
    (folder / "given/link.csv").symlink_to(folder / "secret.csv")
    (folder / "out").mkdir()
    (folder / "out/away").symlink_to(folder)

    async def scenario(client: Client) -> None:
        for name, arguments in (
            ("curate", {"reports": way}),
            ("show", {"captions": way}),
        ):
            told = error(await client.call_tool(name, arguments))
            assert "outside of" in told and "hidden" not in told, told
        assert "leads out of" in error(await client.call_tool("curate", {"reports": "."}))
        for out in ("../set", "away", "away/set", str(folder / "set"), "..", ""):
            assert "out" in error(await client.call_tool("curate", {"reports": "reports.csv", "out": out}))

    with_client(folder, scenario, "--out-folder", str(folder / "out"))
    assert not (folder / "set").exists() and not (folder / "captions").exists()


def test_verify_judges_and_bad_calls_are_told(folder: Path) -> None:
    async def scenario(client: Client) -> None:
        report = "No stone in the left kidney. The liver is normal."
        captions = [
            {"organ": "left kidney", "caption": "No stone"},
            {"organ": "left kidney", "caption": "There is a stone"},
        ]
        judged = content(await client.call_tool("verify", {"report": report, "captions": captions}))
        assert (judged["accepted"], judged["refused"]) == (1, 1)
        assert judged["captions"][1]["reason"] == "negation" and judged["captions"][1]["detail"]
        for arguments, told in (
            ({}, "report"),
            ({"report": report, "captions": []}, "captions"),
            ({"report": report, "captions": [{"organ": "liver"}]}, "caption"),
            ({"report": 3, "captions": captions}, "report"),
            ({"report": report, "captions": captions * 101}, "200"),
            ({"report": "x" * 200_001, "captions": captions}, "200000"),
        ):
            assert told in error(await client.call_tool("verify", arguments))
        assert "either" in error(await client.call_tool("curate", {}))
        assert "at most 100" in error(await client.call_tool("curate", {"reports": "reports.csv", "limit": 101}))
        assert "no caption set" in error(await client.call_tool("show", {"captions": "."})).lower()
        assert "nothing" in error(await client.call_tool("nothing", {}))

    with_client(folder, scenario)


def test_calls_at_once_get_each_their_own_answer(folder: Path) -> None:
    async def scenario(client: Client) -> None:
        answers: dict[int, dict[str, Any]] = {}

        async def verify(number: int) -> None:
            captions = [{"organ": "liver", "caption": f"There is a {number} mm cyst in the liver"}]
            arguments = {"report": f"There is a {number} mm cyst in the liver.", "captions": captions}
            answers[number] = content(await client.call_tool("verify", arguments))

        async def curate(number: int) -> None:
            arguments = {"reports": "reports.csv", "out": f"set-{number}", "limit": number}
            answers[number] = content(await client.call_tool("curate", arguments))

        async with anyio.create_task_group() as group:
            for number in range(10, 30):
                group.start_soon(verify, number)
            for number in (1, 2, 3):
                group.start_soon(curate, number)
        assert all(answers[number]["accepted"] == 1 for number in range(10, 30))
        assert [answers[number]["reports"] for number in (1, 2, 3)] == [1, 2, 3]

    with_client(folder, scenario, "--out-folder", str(folder / "out"))


def _sentence(number: int) -> str:
    return f"There is a {number / 10 + 2:.1f} mm cyst in the liver and a {number / 10 + 3:.1f} mm stone."


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_cancelled_curation_stops_and_the_same_call_goes_on(folder: Path, mode: str) -> None:
    """By the newest version of the protocol, and by those with a handshake, which most clients speak."""
    # No sentence twice: what has been read once is read at once, and the last reports would be there before the call.
    rows = [f"r{i},{' '.join(_sentence(25 * i + n) for n in range(25))}" for i in range(150)]
    (folder / "given/long.csv").write_text("\n".join(["report_id,findings", *rows, ""]))
    call = {"reports": "long.csv", "out": "set"}

    async def scenario(client: Client) -> None:
        begun = anyio.Event()

        async def note(progress: float, total: float | None, message: str | None) -> None:
            if progress:
                begun.set()

        async with anyio.create_task_group() as group:

            async def curate() -> None:
                await client.call_tool("curate", call, progress_callback=note)

            group.start_soon(curate)
            await begun.wait()
            group.cancel_scope.cancel()
        # The next call waits for its turn, so that the first one has ended when it is answered.
        assert content(await client.call_tool("curate", {"texts": ["The liver is normal."]}))["accepted"] == 1
        left = folder / "out/set"
        assert not (left / "manifest.json").exists() or not load_manifest(left).complete
        done = content(await client.call_tool("curate", call))
        assert done["reports"] == 150 and done["more"] and done["page"]["next"]

    with_client(folder, scenario, "--out-folder", str(folder / "out"), mode=mode)


def test_stdout_carries_the_protocol_and_nothing_else(folder: Path) -> None:
    """Spoken to by hand: lines that are none of the protocol do no harm, and the end of stdin ends it."""
    requests = [
        "no JSON at all",
        json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "hand", "version": "0"}}}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "curate", "arguments": {"reports": "reports.csv", "out": "set"}}}),
    ]  # fmt: skip
    given = parameters(folder, "--out-folder", str(folder / "out"))
    with subprocess.Popen(
        [given.command, *given.args],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **ENVIRONMENT}, cwd=folder,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout and process.stderr
        for request in requests:
            process.stdin.write(request + "\n")
            process.stdin.flush()
        lines: list[str] = []
        while not any('"id":1' in line.replace(" ", "") for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        process.stdin.close()
        rest = process.stdout.read()
        assert process.wait(30) == 0, process.stderr.read()
        process.stderr.read()
    messages = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert {message["jsonrpc"] for message in messages} == {"2.0"}
    (answer,) = (message for message in messages if message.get("id") == 1)
    assert answer["result"]["structuredContent"]["reports"] == 5


def test_the_server_ends_with_its_client_in_the_middle_of_a_call(folder: Path) -> None:
    rows = [f"r{i},{' '.join(f'There is a {i + n} mm cyst in the liver.' for n in range(40))}" for i in range(400)]
    (folder / "given/long.csv").write_text("\n".join(["report_id,findings", *rows, ""]))

    async def scenario(client: Client) -> None:
        begun = anyio.Event()

        async def note(progress: float, total: float | None, message: str | None) -> None:
            begun.set()

        async with anyio.create_task_group() as group:

            async def curate() -> None:
                await client.call_tool("curate", {"reports": "long.csv", "out": "set"}, progress_callback=note)

            group.start_soon(curate)
            await begun.wait()
            group.cancel_scope.cancel()

    started = time.monotonic()
    with_client(folder, scenario, "--out-folder", str(folder / "out"))
    assert time.monotonic() - started < 60
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder).encode() in _read(path)]
    assert left == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_scan_is_segmented_with_and_without_a_file(folder: Path) -> None:
    checkpoint = tiny_checkpoint(folder / "network")
    nifti(folder / "given/ct.nii.gz", hounsfield((14, 12, 10)), affine_of((2, 2, 3), "LAS"))

    async def scenario(client: Client) -> None:
        call = {"scan": "ct.nii.gz", "prompts": ["left kidney", "liver"]}
        table = content(await client.call_tool("segment", call))
        assert [row["prompt"] for row in table["labels"]] == call["prompts"] and table["files"] == []
        assert not list((folder / "out").iterdir())
        written = content(await client.call_tool("segment", {**call, "out": "mask"}))
        assert written["labels"] == table["labels"]
        assert sorted(written["files"]) == [str(folder / "out/mask.json"), str(folder / "out/mask.nii.gz")]
        assert "is there already" in error(await client.call_tool("segment", {**call, "out": "mask"}))
        (folder / "out/more.json").symlink_to(folder / "secret.csv")
        assert "link" in error(await client.call_tool("segment", {**call, "out": "more"}))
        assert "outside of" in error(await client.call_tool("segment", {**call, "scan": "../network"}))
        assert "prompts" in error(await client.call_tool("segment", {**call, "prompts": ["liver"] * 51}))

    with_client(
        folder, scenario, "--out-folder", str(folder / "out"), "--checkpoint", str(checkpoint), "--device", "cpu"
    )
    mask = nibabel.load(folder / "out/mask.nii.gz")
    assert np.allclose(mask.affine, nibabel.load(folder / "given/ct.nii.gz").affine)  # type: ignore[attr-defined]


def test_a_wrong_start_is_told_before_a_client_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["mcp", *arguments])
        assert result.exit_code == 2 and result.stdout == ""
        return result.stderr

    assert "holds more than reports" in started("--folder", "/")
    assert "is no folder" in started("--folder", str(tmp_path / "none"))
    assert "no such file or folder" in started("--folder", str(tmp_path), "--checkpoint", str(tmp_path / "none"))
    assert "--engine nix" in started("--folder", str(tmp_path), "--engine", "nix")
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    for name in [name for name in sys.modules if name.startswith("curation.mcp_server")]:
        monkeypatch.delitem(sys.modules, name)
    assert ".[mcp]" in started("--folder", str(tmp_path))
