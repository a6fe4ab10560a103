"""A location in a store: a real S3-compatible server over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.runtime.errors import InputError
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
