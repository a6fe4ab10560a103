"""A page of a template, a style and scripts: as one HTML file that loads nothing, or with its parts as files."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .access import ONLY_OWN

# How a notebook shows a page.
FRAME = "width: 100%; height: 720px; border: 1px solid #8888"
POLICY, STYLE, SCRIPTS = "<!-- policy -->", "<!-- style -->", "<!-- scripts -->"
_IMPORT = re.compile(r"^import \{[^}]*\} from \"\./[\w.]+\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |class |const |function )", re.MULTILINE)


@dataclass(frozen=True)
class PageFiles:
    """The files of a page by their names: a template with the three marks, styles, and scripts.

    Scripts are modules where ``modules`` is true; a module comes after those that it imports, and imports by name from
    "./name.js" alone.
    """

    template: str
    styles: Mapping[str, str]
    scripts: Mapping[str, str]
    modules: bool = False

    def linked(self) -> str:
        """Return the page whose parts are files of their own, as a server sends it."""
        kind = ' type="module"' if self.modules else ""
        names = list(self.scripts)[-1:] if self.modules else self.scripts
        return (
            self.template.replace(f"{POLICY}\n", "")
            .replace(STYLE, "\n".join(f'<link rel="stylesheet" href="/{name}">' for name in self.styles))
            .replace(SCRIPTS, "\n".join(f'<script{kind} src="/{name}"></script>' for name in names))
        )

    def whole(self, data: Mapping[str, str], policy: str = "") -> str:
        """Return the page as one HTML document with texts in elements with these ids.

        Its content security policy lets run nothing but the scripts in it, by their hashes; ``policy`` adds to it.
        """
        style = "\n".join(self.styles.values())
        scripts = [self._bundle()] if self.modules else list(self.scripts.values())
        allowed = (
            f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {_hash(style)}; {policy}"
            f"{ONLY_OWN}"
        )
        kind = ' type="module"' if self.modules else ""
        blocks = [_data_block(name, text) for name, text in data.items()]
        pieces = {
            POLICY: f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
            STYLE: f"<style>{style}</style>",
            SCRIPTS: "\n".join([*blocks, *(f"<script{kind}>{script}</script>" for script in scripts)]),
        }
        # At once, since a text that is put in may hold a mark.
        return re.sub("|".join(map(re.escape, pieces)), lambda match: pieces[match[0]], self.template)

    def _bundle(self) -> str:
        """Return all modules as one, which imports nothing."""
        return "".join(_EXPORT.sub("", _IMPORT.sub("", script)) for script in self.scripts.values())


def framed(page: str) -> str:
    """Return the HTML with which a notebook shows a page that is one document: apart from all else that it shows."""
    return f'<iframe sandbox="allow-scripts" style="{FRAME}" srcdoc="{html.escape(page)}"></iframe>'


def _data_block(name: str, text: str) -> str:
    # No text may end the element.
    return f'<script type="text/plain" id="{name}">{text.replace("<", chr(92) + "u003c")}</script>'


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
