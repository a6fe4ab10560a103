"""Sends requests to a server with OpenAI's interface, within a time-out; classifies errors and removes secrets.

What a server sends is read up to a limit and no further, and a redirect is followed on the same server only: requests
hold the text of reports.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from curation.runtime.errors import InputError, extra_hint
from curation.runtime.terminal import log

from .chat import EngineDown
from .http_errors import RequestRefused, ServerUnreachable, TransientError, classify_error, error_text
from .redaction import Secrets, redacted_url
from .server import EXAMPLES, NO_KEY, ServedModel, ServerSettings, served_models

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 4 * 2**20
"""Of an answer, unpacked: many times what the longest answers have."""
MOST_ERROR_BYTES = 2**16
"""Of an error; the rest of a longer one is not read."""
MOST_REDIRECTS = 3
REDIRECTS = frozenset((301, 302, 307, 308))
PACKED = frozenset(("gzip", "x-gzip", "deflate"))
ANY_ZLIB = 47  # zlib's number for "gzip or deflate, see the header"


class HttpReply(NamedTuple):
    """The status, the headers and the body of a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OpenAIClient:
    """Sends requests to one server. ``url`` is its address for people to read.

    Raises ``InputError`` where the package httpx is missing, or the settings name no server.
    """

    def __init__(self, server: ServerSettings) -> None:
        if importlib.util.find_spec("httpx") is None:
            raise InputError(f"engine openai needs the package httpx: {extra_hint('serve')}")
        import httpx

        url, self._key = server.url(), server.key()
        self.url = redacted_url(url)
        headers = server.header_values()
        self.secrets = Secrets(url, self._key, *headers.values())
        self._base_url = urlsplit(url)
        self._extra = dict(server.request_options)
        self._timeout = server.timeout
        self._is_redirect_told = False
        self._client = httpx.AsyncClient(
            headers={
                "Authorization": f"Bearer {self._key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "ovct",
                **headers,
            },
            timeout=server.timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=server.concurrency),
        )

    @property
    def extra_fields(self) -> Mapping[str, Any]:
        """The fields of ``ServerSettings.request_options``."""
        return self._extra

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def complete(self, request: Mapping[str, Any]) -> str:
        """Send the request for a chat and return the body of the answer. Raises what ``classify_error`` returns.

        The fields of ``ServerSettings.request_options`` go along.
        """
        return await self._send("POST", "/chat/completions", {**request, **self._extra})

    async def models(self) -> list[ServedModel]:
        """Return the models that the server lists. Raises ``EngineDown`` where no server answers."""
        try:
            return served_models(await self._send("GET", "/models"))
        except ServerUnreachable as error:
            raise EngineDown(
                f"no server answers at {self.url} ({error}): start one ({EXAMPLES}), or correct --base-url"
            ) from None

    async def send(self, method: str, path: str, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request other than a chat and return the object in the answer. Raises as ``complete`` does."""
        return _json_object(await self._send(method, path, request))

    async def upload(self, path: Path, name: str, purpose: str) -> dict[str, Any]:
        """Upload a file under a name and return the object in the answer. Raises as ``complete`` does."""
        with path.open("rb") as file:
            fields = {"files": {"file": (name, file, "application/jsonl")}, "data": {"purpose": purpose}}
            async with self._streamed("POST", "/files", **fields) as response:
                body = await read_body(response)
        return _json_object(self.secrets.redact_answer(body.decode("utf-8", "replace")))

    async def download(self, file_id: str, path: Path, most_bytes: int) -> None:
        """Write the content of a file of the server to a path. Raises as ``complete`` does."""
        length = 0
        async with self._streamed("GET", f"/files/{quote(file_id, safe='')}/content") as response:
            with path.open("wb") as file:
                async for chunk in response.aiter_bytes():
                    length += len(chunk)
                    if length > most_bytes:
                        raise RequestRefused(200, f"a file of more than {most_bytes:,} bytes", "")
                    file.write(chunk)

    @asynccontextmanager
    async def _streamed(self, method: str, path: str, **content: Any) -> AsyncIterator[httpx.Response]:
        """Send a request with or for a file, for which the time-out holds between two pieces; yield the response."""
        import httpx

        url = self._url_of(path)
        try:
            async with self._client.stream(method, url, **content) as response:
                if response.status_code < 300:
                    yield response
                    return
                text = (await read_body(response)).decode("utf-8", "replace")
        except httpx.TimeoutException:
            raise TransientError(f"no answer within {self._timeout:g} s (--timeout)") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = self.secrets.redact_error(" ".join(str(error).split())) or type(error).__name__
            raise TransientError(f"connection lost: {reason}") from None
        raise classify_error(response.status_code, response.headers, self.secrets.redact_error(text))

    def key_problem(self, error: RequestRefused) -> str:
        """Return the message about a server that wants another key, or one at all."""
        if self._key == NO_KEY:
            return f"{self.url} wants a key ({error.status}): put it into OPENAI_API_KEY"
        reason = f": {error_text(error.text)}" if error.status == 403 and error_text(error.text) else ""
        return f"{self.url} refuses the key in OPENAI_API_KEY ({error.status}{reason})"

    async def _send(self, method: str, path: str, request: Mapping[str, Any] | None = None) -> str:
        """Send one request, from beginning to end within the time-out, and return the body without secrets.

        Errors of the client library may hold the request with its key: none of them gets out of here.
        """
        import httpx

        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._exchange(method, path, request)
        except (TimeoutError, httpx.TimeoutException):
            problem: Exception = TransientError(f"no answer within {self._timeout:g} s (--timeout)")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = self.secrets.redact_error(" ".join(str(error).split())) or type(error).__name__
            unreachable = isinstance(error, httpx.ConnectError)
            problem = ServerUnreachable(reason) if unreachable else TransientError(f"connection lost: {reason}")
        else:
            text = reply.body.decode("utf-8", "replace")
            if reply.status < 300:
                return self.secrets.redact_answer(text)
            problem = classify_error(reply.status, reply.headers, self.secrets.redact_error(text))
        raise problem

    async def _exchange(self, method: str, path: str, request: Mapping[str, Any] | None) -> HttpReply:
        """Send a request and return the reply, also that to a redirect on the same server. Raises ``EngineDown``."""
        url = self._url_of(path)
        content = None if request is None else json.dumps(request).encode()  # all ASCII: half a character is no error
        headers = {} if content is None else {"Content-Type": "application/json"}
        for _ in range(MOST_REDIRECTS + 1):
            async with self._client.stream(method, url, content=content, headers=headers) as response:
                if response.status_code not in REDIRECTS or "location" not in response.headers:
                    body = await read_body(response)
                    return HttpReply(response.status_code, response.headers, body)
                url = self._redirect_target(url, response.headers["location"])
        raise EngineDown(f"{self.url} sends requests on and on, to {redacted_url(url)} in the end: correct --base-url")

    def _url_of(self, path: str) -> str:
        """Return the address of a path below the base URL; both may have a query."""
        base, (path, _, query) = self._base_url, path.partition("?")
        query = "&".join(filter(None, (base.query, query)))
        return base._replace(path=base.path.rstrip("/") + path, query=query).geturl()

    def _redirect_target(self, url: str, location: str) -> str:
        """Return where a redirect leads, and say so once. Raises ``EngineDown`` for a place on another server."""
        try:
            target = urljoin(url, location)
            parts, shown = urlsplit(target), redacted_url(target)
            is_same = _origin(parts) == _origin(urlsplit(url))
        except ValueError:
            raise EngineDown(f"{self.url} sends requests on to what is no address: correct --base-url") from None
        if not is_same:
            raise EngineDown(
                f"{self.url} sends requests on to another server, {shown}. They hold the text of reports and go to the "
                "server that you name, no other: if that one is meant, name it with --base-url"
            )
        if not self._is_redirect_told:
            self._is_redirect_told = True
            log.warning("%s sends requests on to %s, on the same server: they go there", self.url, shown)
        return target


def _json_object(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TransientError(f"an answer that cannot be read: {error_text(body)[:80]}")
    return value


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


async def read_body(response: httpx.Response) -> bytes:
    """Return the body of a response, unpacked where it is packed; of an error the beginning.

    Raises ``RequestRefused`` for an answer beyond ``MOST_BYTES``, which is not read any further, and ``TransientError``
    for one that cannot be unpacked.
    """
    is_error = response.status_code >= 300
    limit = MOST_ERROR_BYTES if is_error else MOST_BYTES
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in PACKED and packing not in ("", "identity"):
        raise TransientError(f"an answer packed as {packing[:40]}, which was not asked for")
    unpacker = zlib.decompressobj(ANY_ZLIB) if packing in PACKED else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        room = limit + 1 - len(body)
        try:
            body += chunk[:room] if unpacker is None else unpacker.decompress(chunk, room)
        except zlib.error as error:
            raise TransientError(f"an answer that cannot be unpacked: {error}") from None
        if len(body) > limit and is_error:
            break
        if len(body) > limit:
            text = f"an answer of more than {MOST_BYTES // 2**20} MiB, which was not read to its end"
            raise RequestRefused(response.status_code, text, text)
    return bytes(body[:limit])
