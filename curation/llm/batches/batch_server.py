"""The batch interface of a server: files up and down, batches made, found and asked about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from curation.engines.chat import EngineDown
from curation.engines.http_errors import RequestRefused, TransientError
from curation.engines.openai import OpenAIEngine

from .batch_files import ENDPOINT

WINDOW = "24h"
MARK = "ovct_batch"
"""The name in a batch's metadata by which it is found again."""
LISTED_AT_ONCE = 100
MOST_LISTED = 100
"""Pages of batches that are looked through."""
MOST_RESULT_BYTES = 4 * 2**30
STILL_WORKING = frozenset(("validating", "in_progress", "finalizing", "cancelling"))
ENDED = frozenset(("completed", "failed", "expired", "cancelled"))


class ServerBatch(NamedTuple):
    """A batch as the server has it: its status, the files of its results, and what it says went wrong."""

    id: str
    status: str
    output: str | None
    error_file: str | None
    done: int
    total: int
    problems: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> ServerBatch:
        """Return the batch in an answer. Raises ``TransientError`` for an answer that holds none."""
        batch_id, status = value.get("id"), value.get("status")
        if not isinstance(batch_id, str) or not isinstance(status, str):
            raise TransientError("an answer without a batch")
        counts = value.get("request_counts")
        numbers = counts if isinstance(counts, dict) else {}
        done = sum(number for name in ("completed", "failed") if isinstance(number := numbers.get(name), int))
        total = numbers.get("total")
        errors = value.get("errors")
        rows = errors.get("data") if isinstance(errors, dict) else None
        problems = tuple(
            (str(row.get("code") or ""), str(row.get("message") or ""))
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict)
        )
        output, error_file = value.get("output_file_id"), value.get("error_file_id")
        return cls(
            batch_id,
            status,
            output if isinstance(output, str) and output else None,
            error_file if isinstance(error_file, str) and error_file else None,
            done,
            total if isinstance(total, int) else 0,
            problems,
        )


class BatchServer:
    """Speaks with the server of an engine, with its retries."""

    def __init__(self, engine: OpenAIEngine) -> None:
        self._engine, self._client = engine, engine.client

    async def upload(self, path: Path, mark: str) -> str:
        """Upload the file of a batch and return the server's id of it."""
        answer = await self._engine.with_retries(lambda: self._client.upload(path, file_name(mark), "batch"))
        if not isinstance(answer.get("id"), str):
            raise EngineDown(f"{self._client.url} took a file and gave no id for it: it has no batch interface")
        return str(answer["id"])

    async def create(self, file: str, mark: str) -> ServerBatch:
        """Have a batch made of a file, once: where the answer was lost, use ``find`` before another try."""
        request = {
            "input_file_id": file,
            "endpoint": ENDPOINT,
            "completion_window": WINDOW,
            "metadata": {MARK: mark},
        }
        return ServerBatch.read(await self._client.send("POST", "/batches", request))

    async def find(self, file: str, mark: str) -> ServerBatch | None:
        """Return the batch that was made of a file, None where there is none.

        Raises ``RequestRefused`` where the server lists none.
        """
        after: str | None = None
        for _ in range(MOST_LISTED):
            query = urlencode({"limit": LISTED_AT_ONCE, **({"after": after} if after else {})})
            page = await self._engine.with_retries(partial(self._client.send, "GET", f"/batches?{query}"))
            rows = [row for row in page.get("data") or () if isinstance(row, dict)]
            for row in rows:
                metadata = row.get("metadata")
                marked = isinstance(metadata, dict) and metadata.get(MARK) == mark
                if marked or row.get("input_file_id") == file:
                    return ServerBatch.read(row)
            after = rows[-1].get("id") if rows and page.get("has_more") else None
            if after is None:
                return None
        raise RequestRefused(200, "more batches than are looked through", "")

    async def status(self, batch_id: str) -> ServerBatch:
        """Ask once how far a batch is."""
        return ServerBatch.read(await self._client.send("GET", f"/batches/{quote(batch_id, safe='')}"))

    async def download(self, file: str, path: Path) -> None:
        """Write a file of results to a path."""
        await self._engine.with_retries(lambda: self._client.download(file, path, MOST_RESULT_BYTES))

    async def delete(self, *files: str | None) -> None:
        """Delete files, which hold text of reports; one that cannot be deleted stays."""
        for file in filter(None, files):
            try:
                await self._client.send("DELETE", f"/files/{quote(file, safe='')}")
            except (TransientError, RequestRefused, EngineDown):
                continue

    async def delete_named(self, mark: str) -> None:
        """Delete a file that was uploaded in a run which did not get to know its id."""
        try:
            page = await self._client.send("GET", "/files?" + urlencode({"purpose": "batch", "limit": LISTED_AT_ONCE}))
        except (TransientError, RequestRefused, EngineDown):
            return
        rows = [row for row in page.get("data") or () if isinstance(row, dict)]
        await self.delete(*(row.get("id") for row in rows if row.get("filename") == file_name(mark)))


def file_name(mark: str) -> str:
    """Return the name of a batch's file on the server."""
    return f"ovct-{mark}.jsonl"
