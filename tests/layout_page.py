"""The list of modules in docs/layout.md: each with the first line of its docstring.

``python -m tests.layout_page`` writes it anew.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "layout.md"
FOLDERS = ("curation", "train", "models", "prompts", "examples", "benchmarks")
BLOCK = re.compile(r"(?<=<!-- modules -->\n).*?(?=<!-- end of modules -->)", re.DOTALL)


def first_line(path: Path) -> str:
    """The first line of a module's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"
    return " ".join(docstring.partition("\n\n")[0].split()).removesuffix(".")


def packages() -> list[Path]:
    """The folders that hold modules, from the outside in."""
    folders = {path.parent for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    return sorted(folders, key=lambda path: (FOLDERS.index(path.relative_to(ROOT).parts[0]), path))


def module_list() -> str:
    """All packages with their modules, as Markdown."""
    lines: list[str] = []
    for package in packages():
        name = package.relative_to(ROOT)
        init = package / "__init__.py"
        about = first_line(init) if init.read_text(encoding="utf-8").strip() else ""
        lines += [f"### `{name}/`", "", *([f"{about}.", ""] if about else [])]
        modules = sorted(path for path in package.glob("*.py") if path.name != "__init__.py")
        lines += [f"- `{path.name}`: {first_line(path)}" for path in modules]
        lines += [""] if modules else []
    return "\n".join(lines) + "\n"


def page_with_modules(page: str) -> str:
    """The page with its list of modules as it should be."""
    assert BLOCK.search(page), "docs/layout.md has no <!-- modules --> block"
    return BLOCK.sub(lambda _: "\n" + module_list(), page)


if __name__ == "__main__":
    PAGE.write_text(page_with_modules(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE)
