"""The scripts and styles that the pages of `ovct show` and of the review share."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

# A module comes after those that it imports.
SHARED_SCRIPTS = ("dom.js", "theme.js", "report_view.js", "passage_panel.js")
SHARED_STYLES = ("base.css", "report_view.css")


def static_texts(package: str, names: Iterable[str]) -> dict[str, str]:
    """Return the texts of files in the folder ``static`` of a package, by their names."""
    return {name: files(package).joinpath("static", name).read_text(encoding="utf-8") for name in names}
