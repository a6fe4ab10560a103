"""Links and docstrings as the site has them."""

import ast

import pytest

from website import pages
from website.api_reference import _lines, docstring_lines
from website.commands import all_commands, command_page
from website.pages import DOCS, ROOT, with_site_links


def test_links_lead_to_pages_of_the_site_and_files_of_the_repository_are_named() -> None:
    text = (
        "[a](../quality.md#5-x) [b](installing.md) [c](../../CONTRIBUTING.md) [d](https://a.b) [e](#here) "
        "[f](../schemas) [g](../../tests/test_layout.py) [tests/test_layout.py](../../tests/test_layout.py)\n"
        "```text\n[h](../../README.md)\n```\n![i](../images/review.png) [j](../../README.md)"
    )
    assert with_site_links(text, DOCS / "start" / "tutorial.md", "start/tutorial.md") == (
        "[a](../quality.md#5-x) [b](installing.md) [c](../contributing.md) [d](https://a.b) [e](#here) "
        "f (`docs/schemas`) g (`tests/test_layout.py`) tests/test_layout.py\n"
        "```text\n[h](../../README.md)\n```\n![i](../images/review.png) [j](../index.md)"
    )
    assert with_site_links("[a](docs/quality.md)", ROOT / "AGENTS.md", "agents.md") == "[a](quality.md)"


def test_files_of_the_repository_are_linked_where_it_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "repository_address", lambda: "https://example.org/ovct/blob/main")
    linked = with_site_links("[a](../ovct.py)", DOCS / "api.md", "api.md")
    assert linked == "[a](https://example.org/ovct/blob/main/ovct.py)"


def test_a_notebook_opens_in_colab_where_the_repository_lies_on_github(monkeypatch: pytest.MonkeyPatch) -> None:
    text, page = "[a.ipynb](../../examples/notebooks/a.ipynb)", DOCS / "pages" / "gallery.md"
    for address, colab in (
        (
            "https://github.com/o/r/blob/main",
            " ([open in Colab](https://colab.research.google.com/github/o/r/blob/main",
        ),
        ("https://example.org/r/blob/main", None),
    ):
        monkeypatch.setattr(pages, "repository_address", lambda address=address: address)
        linked = with_site_links(text, page, "pages/gallery.md")
        source = "/examples/notebooks/a.ipynb)"
        assert linked == f"[a.ipynb]({address}{source}" + (f"{colab}{source})" if colab else "")


def test_a_docstring_becomes_markdown_with_its_sections_as_lists() -> None:
    docstring = (
        "Read ``a_b`` of *x*.\n\nArgs:\n    one: the first,\n        longer.\n    **two: the second.\n\n"
        "Returns:\n    What is read.\n\nIt ends here."
    )
    assert [line for line in docstring_lines(docstring) if line] == [
        "Read `a_b` of \\*x\\*.", "**Arguments**", "- `one`: the first,", "  longer.", "- `**two`: the second.",
        "**Returns**", "What is read.", "It ends here.",
    ]  # fmt: skip


def test_a_class_is_shown_with_its_fields_and_public_methods() -> None:
    source = (
        'class A:\n    """It is."""\n    x: int\n    _y: int = 2\n'
        '    @property\n    def p(self) -> int:\n        """P."""\n'
        '    def m(self, a: int = 1, *, b: str) -> str:\n        """M."""\n'
        "    def _n(self) -> None: ...\n    @staticmethod\n    def s(a: int) -> None: ...\n"
    )
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.ClassDef)
    shown = [line for line in _lines(node, "pkg") if line]
    assert shown == [
        "::::{py:class} pkg.A(x: int)", "It is.",
        ":::{py:property} p", ":type: int", "P.", ":::",
        ":::{py:method} m(a: int=1, *, b: str) -> str", "M.", ":::",
        ":::{py:method} s(a: int) -> None", ":::", "::::",
    ]  # fmt: skip


def test_the_page_of_a_command_names_the_schema_of_its_json() -> None:
    commands = all_commands()
    curate = next(page for page in commands if page.words == "ovct curate")
    text = command_page(curate, commands)
    assert "{download}`curate.json <../schemas/curate.json>`" in text and "## Exit codes" in text
    assert "[default: rules\\]" in text and "## Privacy" in text
