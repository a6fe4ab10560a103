"""Files and folders of a store on this machine, fetched from a real S3-compatible server over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.runtime.errors import InputError
from curation.runtime.progress import Progress
from curation.runtime.store_cache import fetch
from tests.curation.runtime.bucket import Bucket, connected_bucket

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with connected_bucket(tmp_path / "cache", monkeypatch) as bucket:
        yield bucket


class MessageProgress(Progress):
    """Keeps messages."""

    def __init__(self) -> None:
        self.messages = list[str]()

    def message(self, text: str) -> None:
        self.messages.append(text)


def test_what_has_not_changed_is_fetched_once(bucket: Bucket, tmp_path: Path) -> None:
    for number in range(5):
        bucket.put(f"txt/{number}.txt", f"FINDINGS: The liver is normal. {number}".encode())
    progress = MessageProgress()
    folder = fetch("s3://hospital/txt", progress)
    assert sorted(path.name for path in folder.glob("*.txt")) == [f"{number}.txt" for number in range(5)]
    assert len(progress.messages) == 1 and "fetching 5 files" in progress.messages[0]
    assert fetch("s3://hospital/txt/", progress) == folder and len(progress.messages) == 1
    bucket.put("txt/1.txt", b"another text")
    bucket.client.delete_object(Bucket="hospital", Key="txt/4.txt")
    assert fetch("s3:/hospital/txt", progress) == folder and "fetching 1 files" in progress.messages[-1]
    assert (folder / "1.txt").read_text() == "another text" and not (folder / "4.txt").exists()
    file = fetch("s3://hospital/txt/1.txt", progress)
    assert file.name == "1.txt" and fetch("s3://hospital/txt/1.txt", progress) == file and len(progress.messages) == 3
    bucket.put("txt/1.txt", b"a third text")
    assert fetch("s3://hospital/txt/1.txt", progress).read_text() == "a third text"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://hospital/nothing/here", "no such file, and no folder"),
        ("s3://no-such-bucket/reports.csv", "no such bucket"),
        ("s3://key:word@hospital/reports.csv", r"\*\*\*@hospital.*credentials do not belong into a URL"),
        ("warp://hospital/reports.csv", "fsspec knows no such store"),
    ],
)
def test_places_that_cannot_be_read(bucket: Bucket, url: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        fetch(url, Progress())
    assert "word" not in str(error.value)
