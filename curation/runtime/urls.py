"""URLs of stores: which argument is one, and how to show one without the secrets that may stand in it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:/{1,3}", re.IGNORECASE)


def is_url(location: str | os.PathLike[str]) -> bool:
    """Return whether ``location`` is in a store, rather than a path of this machine."""
    return SCHEME.match(os.fspath(location)) is not None and not local_path(location)


def local_path(location: str | os.PathLike[str]) -> Path | None:
    """Return ``location`` as a path of this machine, ``file://`` included; ``None`` for a store's URL."""
    text = os.fspath(location)
    if text.lower().startswith("file:/"):
        return Path(url2pathname(urlsplit(text).path))
    return None if SCHEME.match(text) else Path(text)


def with_two_slashes(url: str) -> str:
    """Return the URL with its scheme in lower case and two slashes behind it: ``Path`` makes one slash of two."""
    scheme, _, rest = url.partition(":")
    return f"{scheme.lower()}://{rest.lstrip('/')}"


def redact_url(url: str) -> str:
    """Return a URL for people to read: without user, password and query, which may be secrets."""
    url = with_two_slashes(url).partition("?")[0]
    # After the @ of the hub and of Azure stand a revision and an account.
    return url if url.startswith(("hf:", "abfs")) else re.sub(r"(?<=//)[^/@\s]+@", "***@", url)


def redact_error(error: BaseException) -> str:
    """Return a store's error message on one line, without credentials and without what signs a request."""
    line = " ".join(str(error).split()) or type(error).__name__
    line = re.sub(r"(?<=//)[^/@\s'\"]+@", "***@", line)
    return re.sub(r"\?[^\s'\"<>]*", "?***", line)[:300]
