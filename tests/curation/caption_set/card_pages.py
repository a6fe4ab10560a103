"""Calls of the command line, and what a data card says as it is read."""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from markdown_it import MarkdownIt
from typer.testing import CliRunner, Result

import ovct
from curation.caption_set.manifest import Counts, CurationSettings, InputFingerprint, Manifest


def call(*arguments: object) -> Result:
    return CliRunner().invoke(ovct.app, [str(argument) for argument in arguments])


def front_matter(card: str) -> dict[str, Any]:
    """The front matter as Hugging Face takes it out of a page."""
    front_matter = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert front_matter is not None
    known: dict[str, Any] = yaml.safe_load(front_matter[1])
    return known


def tables(card: str) -> Iterator[list[list[str]]]:
    """Each table of the page as rows of cells, as they are read."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(card.partition("\n---\n")[2]):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "table_close":
            yield rows
        elif token.type == "inline" and token.level >= 4 and rows and token.children is not None:
            rows[-1].append("".join(child.content for child in token.children))


SETTINGS = CurationSettings(ovct="1.2", engine="rules", vocabulary="b" * 64, lexicon="c" * 64, reports_per_part=10)


MANIFEST = Manifest(
    complete=True,
    input=InputFingerprint(name="r.csv", files=1, bytes=9, sha256="a" * 64),
    settings=SETTINGS,
    versions={},
    source_columns=("age", "Text"),
    counts=Counts(
        reports=3,
        captions={"liver": {"normal": 1200, "abnormal": 3}, "spleen": {"uncertain": 2}},
        rejects={"laterality": 1, "negation": 4},
    ),
    skipped=0,
)


def with_changes(**changes: Any) -> Manifest:
    return MANIFEST.model_copy(update=changes)


def text_of(card: str) -> str:
    """The page as it is read, without its tables and marks."""
    tokens = MarkdownIt("commonmark").parse(card.partition("\n---\n")[2])
    return "\n".join("".join(child.content for child in token.children or ()) for token in tokens)
