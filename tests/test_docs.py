"""What the pages show as code runs, what they link is there, and the reference has every command and function."""

import ast
import csv
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import ovct
from benchmarks.curation.scale_model import Assumptions, Rates, table
from models.text import DEFAULT_ENCODER
from tests.layout_page import PAGE, page_with_modules
from tests.layout_picture import PICTURE, package_picture
from website.api_reference import api_pages, definitions, members, public_modules
from website.commands import all_commands
from website.pages import DOCS, FROM_ROOT, LINK, NAVIGATION, all_pages, written_pages

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_of_the_networks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: Path) -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(code) == 1 and DEFAULT_ENCODER in code[0]
    monkeypatch.chdir(tmp_path)
    result: dict[str, Any] = {}
    exec(code[0].replace(DEFAULT_ENCODER, str(minilm)), result)
    assert result["mask"].shape == (1, 2, 64, 64, 64) and result["mask"].dtype == torch.bool
    assert result["record"].text.embedding_dim == 384
    assert {path.suffix for path in Path("run").iterdir() if path.is_file()} == {".json", ".safetensors"}


def test_the_example_of_the_clean_text_shows_what_it_gives() -> None:
    page = (ROOT / "docs/cleaning.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    shown = re.findall(r"^(clean\.\S+(?: \S+)?\)?) +# (.*)$", code, re.M)
    assert len(shown) == 3
    for expression, value in shown:
        assert repr(eval(expression, names)) == value.partition(": ")[0], expression


def test_the_plan_is_what_the_model_says() -> None:
    """Tables of docs/scale.md, from the rates and assumptions as they stand."""
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    for model in (False, True):
        assert "\n".join(table(Rates(), Assumptions(), model)) in page, (
            "python -m benchmarks.curation.scale_model prints the tables"
        )


# A path in code quotes that begins in a folder of ours and is no volume of a data set.
OUR_PATH = re.compile(r"`((?:curation|train|models|prompts|tests|benchmarks|examples|website)/(?![^`]*\.nii)[\w/.-]*)`")


def test_the_layout_page_lists_every_module() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_modules(page), "python -m tests.layout_page writes the list anew"


def test_the_picture_of_the_packages_is_that_of_the_table() -> None:
    assert PICTURE.read_text(encoding="utf-8") == package_picture(), "python -m tests.layout_page draws it anew"


def pages_to_read() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *written_pages()]


def test_every_path_in_the_pages_exists() -> None:
    """Paths of our folders, in code quotes, as a reader would open them."""
    wrong = []
    for page in pages_to_read():
        if page.name == "CHANGELOG.md":  # it names what there was
            continue
        for name in OUR_PATH.findall(page.read_text(encoding="utf-8")):
            if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists():
                wrong.append(f"{page.name}: {name}")
    assert wrong == []


CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def anchors_of(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#{1,6} (.+)$", CODE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(pages: dict[Path, str]) -> list[str]:
    """The links of pages to files and headings that are not there."""
    dead = []
    for path, page in pages.items():
        for _, target in [*LINK.findall(CODE.sub("", page)), *re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", page)]:
            if "://" in target:
                continue
            place, _, anchor = target.partition("#")
            file = (path.parent / place).resolve() if place else path
            text = pages.get(file) or (
                file.read_text(encoding="utf-8") if file.suffix == ".md" and file.exists() else ""
            )
            if (not file.exists() and file not in pages) or (anchor and anchor not in anchors_of(text)):
                dead.append(f"{path.name}: {target}")
    return dead


def test_no_link_in_the_pages_is_dead() -> None:
    assert dead_links({path: path.read_text(encoding="utf-8") for path in pages_to_read()}) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One\n\n## Two things, three\n")
    text = "# One\n[a](#one) [b](a.md#two-things-three) [c](b.md) [d](a.md#four) ![e](e.png)\n```text\n[f](g.md)\n```\n"
    assert dead_links({page: text}) == ["a.md: a.md#two-things-three", "a.md: b.md", "a.md: a.md#four", "a.md: e.png"]


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    named = {f"{name}.md" for names in NAVIGATION.values() for name in names}
    written = {path.relative_to(DOCS).as_posix() for path in written_pages()} | {f"{name}.md" for name in FROM_ROOT}
    assert {name for name in named if not name.startswith(("commands/", "reference/"))} == written - {"index.md"}


def test_no_link_of_the_site_is_dead(tmp_path: Path) -> None:
    pages = {tmp_path / name: text for name, text in all_pages().items()}
    for name in ("images", "schemas"):
        (tmp_path / name).symlink_to(DOCS / name)
    assert len(pages) > 40 and dead_links(pages) == []


def test_the_reference_has_every_command_with_its_options() -> None:
    pages, commands = all_pages(), all_commands()
    assert {"ovct curate", "ovct train align", "ovct lexicon check"} <= {command.words for command in commands}
    for command in commands:
        text = pages[f"commands/{command.file_name}"]
        assert f"`{command.words}`" in pages["commands/index.md"]
        for parameter in command.command.params:
            if parameter.param_type_name == "option" and not parameter.hidden:
                for flag in (*parameter.opts, *parameter.secondary_opts):
                    assert re.search(rf"^`.*{re.escape(flag)}\b", text, re.MULTILINE), f"{command.words} {flag}"


def test_the_reference_has_every_public_function_with_its_docstring() -> None:
    pages = api_pages()
    for name in ovct.__all__:
        assert re.search(rf"{{py:(class|function)}} ovct\.{name}\b", pages["ovct.md"]), name
    assert "Make a caption set from reports" in pages["ovct.md"] and "- `reports`: a file or folder" in pages["ovct.md"]
    found = 0
    for path in public_modules("models"):
        for node in definitions(path):
            found += 1
            assert f"models.{path.stem}.{node.name}" in pages["models.md"], node.name
            for member in members(node) if isinstance(node, ast.ClassDef) else ():
                assert f"}} {member.name}" in pages["models.md"], f"{node.name}.{member.name}"
    assert found > 40


def test_the_readme_is_short_and_its_figures_are_those_of_the_quality_page() -> None:
    readme, quality = (
        (ROOT / "README.md").read_text(encoding="utf-8"),
        (DOCS / "quality.md").read_text(encoding="utf-8"),
    )
    assert len(readme.splitlines()) <= 150
    table = readme.partition("| question |")[2].partition("\n\n")[0].splitlines()[2:]
    figures = {figure for row in table for figure in re.findall(r"(?<![\w.])\d[\d.]*\d", row.split("|")[2])}
    assert len(figures) > 15
    assert [figure for figure in figures if figure not in quality] == []


def test_the_report_in_the_readme_is_that_of_the_examples() -> None:
    with (ROOT / "examples/reports.csv").open(encoding="utf-8", newline="") as file:
        (report,) = (row for row in csv.DictReader(file) if row["report_id"] == "chest-02")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"> {report['findings']}\n>\n> {report['impression']}\n" in readme and "== 'chest-02'" in readme


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert citation["keywords"] == project["keywords"]
