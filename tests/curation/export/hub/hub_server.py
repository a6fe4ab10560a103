"""A stand-in for the Hugging Face hub: real HTTP on this machine, with as much of its interface as a push and
``load_dataset`` use. Repositories are kept in memory, as branches of commits; large files by their SHA-256, as LFS has
them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_stand_in_token_0123"
LARGE = (".parquet", ".png", ".tar")
Files = dict[str, bytes]


@dataclass
class Repository:
    """A data set: its commits by name, each with all files, and its branches."""

    private: bool = False
    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, branch: str, files: Files, message: str) -> str:
        oid = hashlib.sha1(f"{len(self.commits)} {message}".encode()).hexdigest()
        self.commits[oid], self.branches[branch] = files, oid
        self.messages.append(message)
        return oid

    def head(self, revision: str) -> str | None:
        return self.branches.get(revision) or (revision if revision in self.commits else None)

    def files(self, revision: str = "main") -> Files:
        return self.commits[self.branches[revision]]


class HubServer:
    """The hub. ``fault`` is asked before each request, by its method and path: a status makes it fail with that."""

    def __init__(self, fault: Callable[[str, str], int | None] = lambda method, path: None) -> None:
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()
        self.uploaded: list[str] = []
        self.fault = fault
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="hub")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, name: str, files: Files | None = None, *, private: bool = False) -> Repository:
        repository = Repository(private)
        repository.commit("main", {".gitattributes": b"*.parquet filter=lfs\n", **(files or {})}, "initial commit")
        self.repositories[name] = repository
        return repository

    def __enter__(self) -> HubServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": blob(path.encode())}


class Exchange(BaseHTTPRequestHandler):
    """One request and its answer."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    @property
    def hub(self) -> HubServer:
        hub: HubServer = self.server.owner  # type: ignore[attr-defined]
        return hub

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        steps = [unquote(step) for step in path.strip("/").split("/")]
        with self.hub.lock:
            self.hub.requests[f"{self.command} {'/'.join(steps[:1] + steps[4:5])}"] += 1
            if (status := self.hub.fault(self.command, path)) is not None:
                return self._error(status, f"fault, asked with {self.headers.get('authorization')}")
            if steps[0] == "lfs":
                return self._large(steps, body)
            if self.headers.get("authorization") not in (f"Bearer {TOKEN}", None):
                return self._error(401, "Invalid username or password.")
            if self.command not in ("GET", "HEAD") and self.headers.get("authorization") is None:
                return self._error(401, "Invalid username or password.")
            if steps[:3] == ["api", "repos", "create"]:
                return self._create(json.loads(body))
            if steps[:2] == ["api", "validate-yaml"]:
                return self._json({"errors": [], "warnings": []})
            if steps[:2] == ["api", "datasets"]:
                return self._api("/".join(steps[2:4]), steps[4:], body)
            if steps[0] == "datasets" and steps[2].endswith(".git"):
                return self._batch(json.loads(body))
            if steps[0] == "datasets" and steps[3:4] == ["resolve"]:
                return self._resolve("/".join(steps[1:3]), steps[4], "/".join(steps[5:]))
            self._error(404, f"no such page: {path}")

    def _create(self, body: dict[str, Any]) -> None:
        name = f"{body['organization']}/{body['name']}"
        if name in self.hub.repositories:
            return self._error(409, "You already created this dataset repo")
        private = body.get("private") or body.get("visibility") == "private"
        self.hub.add(name, private=bool(private))
        self._json({"url": f"{self.hub.url}/datasets/{name}"})

    def _api(self, name: str, steps: list[str], body: bytes) -> None:
        repository = self.hub.repositories.get(name)
        hidden = repository is not None and repository.private and self.headers.get("authorization") is None
        if repository is None or hidden:
            return self._error(404 if not hidden else 401, "Repository not found", "RepoNotFound")
        what, revision = (steps or ["revision"])[0], steps[1] if len(steps) > 1 else "main"
        if what == "branch":
            repository.branches.setdefault(revision, repository.branches["main"])
            return self._json({})
        head = repository.head(revision)
        if head is None:
            return self._error(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        files = repository.commits[head]
        if what == "revision":
            siblings = [{"rfilename": path} for path in files]
            return self._json({"id": name, "sha": head, "private": repository.private, "siblings": siblings})
        if what == "tree":
            entries = self._tree(files, "/".join(steps[2:]), "recursive=true" in self.path.lower())
            return self._json(entries) if entries else self._error(404, "no such folder", "EntryNotFound")
        if what == "paths-info":
            wanted = json.loads(body)["paths"]
            folders = [_folder(path) for path in wanted if any(name.startswith(f"{path}/") for name in files)]
            return self._json([*(self._entry((path, files[path])) for path in wanted if path in files), *folders])
        if what == "preupload":
            asked = json.loads(body)["files"]
            modes = {one["path"]: "lfs" if one["path"].endswith(LARGE) else "regular" for one in asked}
            answers = [{"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in modes.items()]
            return self._json({"files": answers})
        if what == "commit":
            return self._commit(name, repository, revision, head, body)
        self._error(404, f"no such request: {what}")

    def _entry(self, item: tuple[str, bytes]) -> dict[str, Any]:
        path, content = item
        entry = {"type": "file", "path": path, "size": len(content), "oid": blob(content)}
        if path.endswith(LARGE):
            entry["lfs"] = {"oid": sha256(content), "size": len(content), "pointerSize": 130}
        return entry

    def _tree(self, files: Files, folder: str, recursive: bool) -> list[dict[str, Any]]:
        start = f"{folder}/" if folder else ""
        below = {path: content for path, content in files.items() if path.startswith(start)}
        if recursive:
            return [self._entry(item) for item in below.items()]
        direct = [self._entry(item) for item in below.items() if "/" not in item[0][len(start) :]]
        names = {path[len(start) :].split("/")[0] for path in below if "/" in path[len(start) :]}
        return [*direct, *(_folder(f"{start}{name}") for name in sorted(names))]

    def _commit(self, name: str, repository: Repository, branch: str, head: str, body: bytes) -> None:
        files, message = dict(repository.commits[head]), ""
        for line in body.splitlines():
            key, value = (part := json.loads(line))["key"], part["value"]
            if key == "header":
                if value.get("parentCommit") not in (None, head):
                    return self._error(412, "A commit has happened since. Please refresh and try again.")
                message = value["summary"]
            elif key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                if value["oid"] not in self.hub.large:
                    return self._error(400, f"LFS pointer pointed to a file that does not exist: {value['path']}")
                files[value["path"]] = self.hub.large[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        oid = repository.commit(branch, files, message)
        self._json({"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{oid}", "commitOid": oid})

    def _batch(self, body: dict[str, Any]) -> None:
        objects: list[dict[str, Any]] = []
        for one in body["objects"]:
            entry = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.hub.large:
                entry["actions"] = {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}
            objects.append(entry)
        self._json({"transfer": "basic", "objects": objects})

    def _large(self, steps: list[str], body: bytes) -> None:
        if sha256(body) != steps[1]:
            return self._error(400, "other content")
        self.hub.large[steps[1]] = body
        self.hub.uploaded.append(steps[1])
        self._send(200, b"")

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and self.headers.get("authorization") is None):
            return self._error(401, "Repository not found", "RepoNotFound")
        head = repository.head(revision)
        if head is None or path not in repository.commits[head]:
            return self._error(404, f"Entry not found: {path}", "EntryNotFound" if head else "RevisionNotFound")
        content = repository.commits[head][path]
        headers = {"ETag": f'"{blob(content)}"', "X-Repo-Commit": head, "Accept-Ranges": "bytes"}
        asked = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if asked[1]:
            first, last = int(asked[0]), int(asked[2] or len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"
            return self._send(206, content[first : last + 1], headers)
        self._send(200, content, headers)

    def _error(self, status: int, message: str, code: str = "") -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self._send(status, json.dumps({"error": message}).encode(), headers)

    def _json(self, answer: Any) -> None:
        self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
