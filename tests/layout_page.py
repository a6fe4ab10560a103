"""docs/layout.md: the table and the picture of the packages, and all modules with the first line of their docstring.

``python -m tests.layout_page`` writes them anew.
"""

import ast
import re
from pathlib import Path

from tests.layout_picture import PICTURE, level_table, write_picture

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "layout.md"
FOLDERS = ("curation", "train", "models", "prompts", "examples", "benchmarks", "website")


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
    """The page with its table of packages and its list of modules as they should be."""
    return with_block(with_block(page, "packages", level_table()), "modules", module_list())


def with_block(page: str, name: str, content: str) -> str:
    """The page with a block of this name filled anew."""
    block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)
    assert block.search(page), f"docs/layout.md has no <!-- {name} --> block"
    return block.sub(lambda _: "\n" + content.strip("\n") + "\n\n", page)


if __name__ == "__main__":
    PAGE.write_text(page_with_modules(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    write_picture()
    print(PAGE, PICTURE, sep="\n")
