"""Lines of batches: what a request is, and what is made of whatever a server writes into its results."""

import json
from pathlib import Path
from typing import Any

import pytest

from curation.engines.chat import Answer
from curation.llm.batches.batch_files import ENDPOINT, LineResult, read_results, request_line, write_lines
from curation.llm.batches.batch_work import lines_that_fit
from tests.curation.llm.batches.batch_service import completion


def read(tmp_path: Path, *rows: Any) -> list[LineResult]:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path = tmp_path / "results.jsonl"
    path.write_bytes(b"\n".join(lines))
    return list(read_results(path, lambda text: text.replace("sk-secret", "…")))


def row(status: Any, body: Any, **more: Any) -> dict[str, Any]:
    return {"custom_id": "k", "response": {"status_code": status, "body": body}, "error": None, **more}


def test_a_request_is_one_line_of_ascii() -> None:
    line = request_line("k", {"model": "m", "messages": [{"role": "user", "content": "zwölf\n\ud800"}]})
    assert line.count(b"\n") == 1 and line.endswith(b"\n") and line.isascii()
    value = json.loads(line)
    assert (value["custom_id"], value["method"], value["url"]) == ("k", "POST", ENDPOINT)
    assert value["body"]["messages"][0]["content"] == "zwölf\n\ud800"


def test_an_answer_is_read_and_what_is_no_line_is_passed_over(tmp_path: Path) -> None:
    rows = (b"no JSON", b"", b"[1]", {"custom_id": 3}, row(200, completion("with sk-secret")), b"\xff\xfe")
    assert read(tmp_path, *rows) == [LineResult("k", Answer("with …", "stop", 100, 10))]


@pytest.mark.parametrize(
    ("line", "error", "again"),
    [
        (row(400, {"error": {"message": "bad words"}}), "refused: 400: bad words", False),
        (row(404, None), "refused: 404", False),
        (row(400, {"error": {"message": "maximum context length is 9 tokens"}}), "too long: ", False),
        (row(429, {"error": {"message": "slow down"}}), "slow down", True),
        (row(500, {"error": {"message": "our fault"}}), "our fault", True),
        (
            row(429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}),
            "spend",
            True,
        ),
        (row("x", {}), "500", True),
        (row(200, {"choices": []}), "without a choice", True),
        ({"custom_id": "k", "response": None, "error": {"code": "batch_expired"}}, "batch_expired", True),
        ({"custom_id": "k"}, "no response", True),
    ],
)
def test_why_there_is_no_answer_and_whether_another_try_may_help(
    tmp_path: Path, line: dict[str, Any], error: str, again: bool
) -> None:
    (result,) = read(tmp_path, line)
    assert result.answer is None and error in result.error and result.again is again


def test_files_of_requests_are_for_their_owner_alone(tmp_path: Path) -> None:
    write_lines(tmp_path / "requests.jsonl", [b"a\n", b"b\n"])
    assert (tmp_path / "requests.jsonl").read_bytes() == b"a\nb\n"
    assert (tmp_path / "requests.jsonl").stat().st_mode & 0o777 == 0o600


def test_lines_fit_by_number_and_bytes() -> None:
    lines = [(str(number), b"x" * 10) for number in range(9)]
    assert len(lines_that_fit(lines, 4, 1000)) == 4
    assert len(lines_that_fit(lines, 100, 50)) == 5
    assert len(lines_that_fit(lines, 100, 49)) == 4
    assert lines_that_fit([], 4, 4) == []
