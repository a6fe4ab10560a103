from pathlib import Path

import pytest

from curation.runtime.urls import is_url, local_path, redact_error, redact_url


@pytest.mark.parametrize(
    ("location", "url", "path"),
    [
        ("captions", False, "captions"),
        ("/data/captions", False, "/data/captions"),
        ("file:///data/my%20captions", False, "/data/my captions"),
        ("s3://bucket/key", True, None),
        ("s3:/bucket/key", True, None),
        ("hf://datasets/group/set", True, None),
    ],
)
def test_what_is_a_url(location: str, url: bool, path: str | None) -> None:
    assert is_url(location) == url and local_path(location) == (Path(path) if path else None)


def test_nothing_that_is_secret_is_shown() -> None:
    assert redact_url("https://user:word@host/file?X-Amz-Signature=abc") == "https://***@host/file"
    error = OSError("GET https://me:word@host/x?X-Amz-Signature=abc&token=1 failed\n again")
    assert redact_error(error) == "GET https://***@host/x?*** failed again"
