"""A real S3-compatible server over HTTP, moto's, that throttles and drops requests when a test asks it to."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.request import Request, urlopen

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from curation.runtime import stores

Trouble = Literal["throttle", "drop", "drop half way"] | None
Behave = Callable[[dict[str, Any]], Trouble]

SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)


def gladly(request: dict[str, Any]) -> Trouble:
    """Serve every request."""
    return None


def sometimes(share: float, seed: int = 0) -> Behave:
    """Give trouble to this share of the requests, each kind alike."""
    chance = random.Random(seed)

    def behave(request: dict[str, Any]) -> Trouble:
        return chance.choice(("throttle", "drop", "drop half way")) if chance.random() < share else None

    return behave


class Bucket:
    """The server, with one bucket named `hospital`; `seen` counts requests by method, `troubles` what went wrong."""

    def __init__(self, behave: Behave = gladly) -> None:
        self.behave, self.seen, self.troubles = behave, Counter[str](), Counter[str]()
        self._inner = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def environment(self, cache: Any) -> dict[str, str]:
        """The environment variables of a process that uses the server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "a-secret-that-is-shown-nowhere",
            "AWS_DEFAULT_REGION": "us-east-1",
            # Botocore's own retries would hide ours.
            "AWS_MAX_ATTEMPTS": "1",
            "OVCT_CACHE": str(cache),
        }

    def __enter__(self) -> Bucket:
        self._thread.start()
        # moto keeps the objects of another server in this process.
        urlopen(Request(f"{self.url}/moto-api/reset", method="POST")).close()
        self.client.create_bucket(Bucket="hospital")
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @cached_property
    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1"
        )

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """The content of every object in the bucket, by its name."""
        listing = self.client.list_objects_v2(Bucket="hospital", Prefix=prefix).get("Contents", [])
        names = [entry["Key"] for entry in listing]
        return {name: self.client.get_object(Bucket="hospital", Key=name)["Body"].read() for name in names}

    def put(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket="hospital", Key=name, Body=content)

    def _answer(self, request: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.seen[request["REQUEST_METHOD"]] += 1
        ours = "boto3" not in request.get("HTTP_USER_AGENT", "").lower() or "aiobotocore" in request["HTTP_USER_AGENT"]
        trouble = self.behave(request) if ours else None
        if trouble is None:
            return self._inner(request, start)  # type: ignore[no-any-return]
        self.troubles[trouble] += 1
        if trouble == "throttle":
            request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0))
            start("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(SLOW_DOWN)))])
            return [SLOW_DOWN]
        if trouble == "drop half way":
            list(self._inner(request, lambda *_: None))
        request["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        start("200 OK", [("Content-Length", "0")])
        return []


@contextmanager
def connected_bucket(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Start the server, have this process use it, and make retries wait for next to no time."""
    with Bucket() as bucket:
        for name, value in bucket.environment(cache).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(stores, "FIRST_WAIT", 0.01)
        monkeypatch.setattr(stores, "LONGEST_WAIT", 0.05)
        yield bucket
