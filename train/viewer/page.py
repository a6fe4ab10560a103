"""The page as one HTML file: the viewer, the scan and its masks are in it, and nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import gzip
import json
from importlib.resources import files
from pathlib import Path

from curation.runtime.files import whole_file
from curation.runtime.local_server.page_files import PageFiles

from .content import ViewContent

PAGE, STYLE = "viewer.html", "viewer.css"
NIIVUE = "niivue.umd.js"
SCRIPTS = (NIIVUE, "picture.js", "structures.js", "viewer.js")
# What NiiVue draws with comes from itself, as data.
PICTURES = "img-src data: blob:; connect-src {} data: blob:; worker-src blob:"


def asset(name: str) -> str:
    """Return the text of a file of the page."""
    return files("train.viewer").joinpath("assets", name).read_text(encoding="utf-8")


def write_page(path: Path, content: ViewContent) -> None:
    """Write the page as one file, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(whole_page(content), encoding="utf-8")


def whole_page(content: ViewContent) -> str:
    """Return the page as one HTML document. Its policy lets run nothing but what is in it by its hash."""
    data = {"content": json.dumps(content.description), "scan-file": _packed(content.scan)}
    if content.labels is not None:
        data["labels-file"] = _packed(content.labels)
    return page_files().whole(data, f"{PICTURES.format('')}; ")


def page_files() -> PageFiles:
    """Return the files of the page."""
    return PageFiles(asset(PAGE), {STYLE: asset(STYLE)}, {name: asset(name) for name in SCRIPTS})


def _packed(path: Path) -> str:
    return base64.b64encode(gzip.compress(path.read_bytes(), 4, mtime=0)).decode()
