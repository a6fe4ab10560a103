"""The page as one HTML file: the viewer, the scan and its masks are in it, and nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from importlib.resources import files
from pathlib import Path

from curation.runtime.files import whole_file

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
    style, scripts = asset(STYLE), [asset(name) for name in SCRIPTS]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {_hash(style)}; "
        f"{PICTURES.format('')}; base-uri 'none'; form-action 'none'"
    )
    blocks = [_data("content", json.dumps(content.description)), _data("scan-file", _packed(content.scan))]
    if content.labels is not None:
        blocks.append(_data("labels-file", _packed(content.labels)))
    page = asset(PAGE)
    for mark, text in (
        ("<!-- policy -->", f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        ("<!-- style -->", f"<style>{style}</style>"),
        ("<!-- scripts -->", "\n".join([*blocks, *(f"<script>{script}</script>" for script in scripts)])),
    ):
        page = page.replace(mark, text)
    return page


def linked_page() -> str:
    """Return the page whose parts are files of their own, as the server sends it."""
    scripts = "\n".join(f'<script src="/{name}"></script>' for name in SCRIPTS)
    return (
        asset(PAGE)
        .replace("<!-- policy -->\n", "")
        .replace("<!-- style -->", f'<link rel="stylesheet" href="/{STYLE}">')
        .replace("<!-- scripts -->", scripts)
    )


def _data(name: str, text: str) -> str:
    # No name of a structure may end the element.
    return f'<script type="text/plain" id="{name}">{text.replace("<", chr(92) + "u003c")}</script>'


def _packed(path: Path) -> str:
    return base64.b64encode(gzip.compress(path.read_bytes(), 4, mtime=0)).decode()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
