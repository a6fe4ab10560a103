"""The pages of the site: which there are and in which order, and the folder that Sphinx builds them from."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path

from .api_reference import api_pages
from .commands import all_commands, command_page, overview_page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# The navigation: a title, and the pages below it. Those of `commands/` and `reference/` are made from the code.
NAVIGATION: dict[str, tuple[str, ...]] = {
    "Start": ("start/tutorial", "pages/gallery", "start/installing", "start/recipes"),
    "How to": (
        "inputs",
        "forms",
        "llm",
        "pages/show",
        "pages/export",
        "pages/mcp",
        "audit",
        "lexicon",
        "privacy",
        "scale",
        "training",
        "pages/training_scale",
        "pages/logging",
        "segmenting",
        "scans",
        "view",
    ),
    "Reference": ("commands/index", "api", "reference/ovct", "reference/models"),
    "How it works": ("layout", "cleaning", "verification", "models"),
    "How good it is": ("quality", "pages/training_figures", "reliability", "tried"),
    "Project": ("contributing", "agents", "changelog"),
}
# Pages that lie at the root of the repository.
FROM_ROOT = {"contributing": "CONTRIBUTING.md", "agents": "AGENTS.md", "changelog": "CHANGELOG.md"}
GITHUB, COLAB = "https://github.com/", "https://colab.research.google.com/github/"
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def write_pages(folder: Path) -> None:
    """Write all that Sphinx reads into a folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in all_pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("images", "schemas"):
        shutil.copytree(DOCS / name, folder / name)
    shutil.copy(Path(__file__).with_name("conf.py"), folder)


def all_pages() -> dict[str, str]:
    """Return every page of the site as Markdown, by its path in the folder that Sphinx reads."""
    pages = {path.relative_to(DOCS).as_posix(): (path, path.read_text(encoding="utf-8")) for path in written_pages()}
    pages |= {
        f"{name}.md": (ROOT / file, (ROOT / file).read_text(encoding="utf-8")) for name, file in FROM_ROOT.items()
    }
    site = {name: with_site_links(text, path, name) for name, (path, text) in pages.items()}
    commands = all_commands()
    site["commands/index.md"] = overview_page(commands) + _toctree("", [page.file_name for page in commands])
    site |= {f"commands/{page.file_name}": command_page(page, commands) for page in commands}
    site |= {f"reference/{name}": text for name, text in api_pages().items()}
    site["index.md"] += "\n" + "\n".join(_toctree(title, names) for title, names in NAVIGATION.items())
    return site


def _toctree(title: str, names: tuple[str, ...] | list[str]) -> str:
    caption = [f":caption: {title}"] if title else []
    return "\n".join(["", "```{toctree}", ":hidden:", *caption, "", *names, "```", ""])


def written_pages() -> list[Path]:
    """Return the pages below docs/ that people write."""
    return sorted(DOCS.rglob("*.md"))


def with_site_links(text: str, path: Path, name: str) -> str:
    """Return a page that becomes `name` in the site with links that lead to pages of the site, or to the repository.

    A file of the repository that is no page is linked only where `pyproject.toml` names the repository's address;
    else its path stands there.
    """
    pages = {page: page.relative_to(DOCS).as_posix() for page in written_pages()}
    pages |= {ROOT / file: f"{title}.md" for title, file in FROM_ROOT.items()} | {ROOT / "README.md": "index.md"}
    address = repository_address()

    def replaced(match: re.Match[str]) -> str:
        label, target = match.groups()
        place, hash_sign, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:") or not place:
            return match[0]
        file = Path(os.path.normpath(path.parent / place))
        if file.is_relative_to(DOCS) and file.is_dir():
            folder = f"docs/{file.relative_to(DOCS).as_posix()}"
            return f"`{folder}`" if label == folder else f"{label} (`{folder}`)"
        if file in pages or file.is_relative_to(DOCS):
            inside = pages.get(file) or file.relative_to(DOCS).as_posix()
            return f"[{label}]({os.path.relpath(inside, Path(name).parent.as_posix())}{hash_sign}{anchor})"
        source = file.relative_to(ROOT).as_posix()
        if address is None:
            return label if source in label else f"{label} (`{source}`)"
        return f"[{label}]({address}/{source}){in_colab(address, source)}"

    pieces, end = [], 0
    for block in CODE_BLOCK.finditer(text):
        pieces += [LINK.sub(replaced, text[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*pieces, LINK.sub(replaced, text[end:])])


def in_colab(address: str, source: str) -> str:
    """Return a link that opens a notebook of the repository in Colab, "" for another file: it reads from GitHub."""
    if not (source.endswith(".ipynb") and address.startswith(GITHUB)):
        return ""
    return f" ([open in Colab]({COLAB}{address.removeprefix(GITHUB)}/{source}))"


def repository_address() -> str | None:
    """Return where files of the repository can be read, by `project.urls.Source`; None where nothing is said."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project.get("urls", {}).get("Source")
    return f"{address.rstrip('/')}/blob/main" if address else None
