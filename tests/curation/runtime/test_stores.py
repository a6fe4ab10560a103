"""A location in a store: a real S3-compatible server over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.runtime import stores
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from curation.runtime.stores import StoreLocation
from tests.curation.runtime.bucket import Bucket, connected_bucket, gladly, sometimes

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with connected_bucket(tmp_path / "cache", monkeypatch) as bucket:
        yield bucket


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_files_are_written_listed_read_and_removed(bucket: Bucket, tmp_path: Path, share: float) -> None:
    bucket.behave = sometimes(share) if share else gladly
    location = StoreLocation("s3:/hospital/out", Progress())
    (tmp_path / "b.txt").write_bytes(b"second")
    location.write("a.txt", b"first")
    location.put(tmp_path / "b.txt", "sub/b.txt")
    files = location.list_files()
    assert [(file.name, file.bytes) for file in files] == [("a.txt", 5), ("sub/b.txt", 6)]
    assert (location.url, location.name, location.stat()) == ("s3://hospital/out", "out", None)
    assert location.read("a.txt") == b"first" and location.read("none.txt") is None
    location.download(files[1], tmp_path / "new" / "b.txt")
    assert (tmp_path / "new" / "b.txt").read_bytes() == b"second"
    location.remove(["a.txt", "none.txt"])
    assert [file.name for file in location.list_files()] == ["sub/b.txt"]
    one_file = StoreLocation("s3://hospital/out/sub/b.txt", Progress()).stat()
    assert one_file is not None and (one_file.name, one_file.version) == ("", files[1].version)


def test_no_access_is_told_at_once(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("Access Denied")

    location = StoreLocation("s3://hospital/out", Progress())
    monkeypatch.setattr(location.filesystem, "cat_file", refuse)
    with pytest.raises(InputError, match=r"does not let us \(Access Denied\).*environment or the store's own"):
        location.read("manifest.json")


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> tuple[StoreLocation, list[float], list[None]]:
    """A location of which no file can be read; the waits between its tries, which take no time; and its tries."""
    location, waits, tries = StoreLocation("memory://hospital/out", Progress()), list[float](), list[None]()

    def fail(path: str) -> None:
        tries.append(None)
        raise error

    monkeypatch.setattr(location.filesystem, "cat_file", fail)
    monkeypatch.setattr(location, "_sleep", waits.append)
    return location, waits, tries


def test_waits_double_up_to_a_bound_and_are_drawn_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    location, waits, tries = failing(OSError("SlowDown"), monkeypatch)
    for _ in range(2):
        with pytest.raises(RunError, match=r"gave up after 8 tries \(SlowDown\); run the same command again"):
            location.read("manifest.json")
    assert len(tries) == 2 * 8 and len(waits) == 2 * 7  # none after the last
    longest = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0] * 2
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert waits[:7] != waits[7:]


@pytest.mark.parametrize(
    "error",
    [Interrupted(), KeyboardInterrupt(), RunError("x"), InputError("x"), ImportError("x"), IsADirectoryError("x"),
     PermissionError("x"), type("NoCredentialsError", (Exception,), {})("x")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_another_try_would_not_change_is_raised_at_once(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    location, waits, tries = failing(error, monkeypatch)
    expected = InputError if type(error).__name__ in ("PermissionError", "NoCredentialsError") else type(error)
    with pytest.raises(expected):
        location.read("manifest.json")
    assert (len(tries), waits) == (1, [])


def test_a_stop_does_not_wait_for_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    class StoppedAfterOneTry(Progress):
        def raise_if_interrupted(self) -> None:
            if tries:
                raise Interrupted

    tries = list[None]()
    location = StoreLocation("memory://hospital/out", StoppedAfterOneTry())

    def fail(path: str) -> None:
        tries.append(None)
        raise OSError("SlowDown")

    monkeypatch.setattr(location.filesystem, "cat_file", fail)
    monkeypatch.setattr(stores, "FIRST_WAIT", 600.0)
    monkeypatch.setattr(stores, "LONGEST_WAIT", 600.0)
    began = time.monotonic()
    with pytest.raises(Interrupted):
        location.read("manifest.json")
    assert time.monotonic() - began < 60 and len(tries) == 1
