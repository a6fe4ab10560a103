"""The reference of the Python API: signatures and docstrings, read from the source without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ovct

ROOT = Path(__file__).resolve().parents[1]

# What the functions of `ovct` take and return beside plain values.
BESIDE = (
    ("curation.api.curate", "LanguageModelSettings"),
    ("curation.caption_set.figures", "CurationFigures"),
    ("curation.runtime.progress", "Progress"),
    ("curation.runtime.progress", "TerminalProgress"),
    ("train.inference.options", "SegmentOptions"),
    ("train.inference.result", "SegmentationResult"),
)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# "name: what it is", indented below "Args:", "Attributes:" or "Raises:".
ITEM = re.compile(r"(\s*)(\**\w+(?:, \**\w+)*): (.*)")
HEADINGS = {
    "Args:": "Arguments",
    "Attributes:": "Attributes",
    "Returns:": "Returns",
    "Raises:": "Raises",
    "Yields:": "Yields",
}


def api_pages() -> dict[str, str]:
    """Return the pages by file name: `ovct`, what stands beside it, and the networks."""
    main = [(ovct.API[name], name) for name in ovct.__all__]
    return {
        "ovct.md": "\n".join(
            [
                "# The module `ovct`",
                "",
                "What `import ovct` gives. [Python API](../api.md) shows it in use.",
                "",
                *(line for module, name in main for line in _object(module, name, "ovct")),
                "## What these take and return",
                "",
                *(line for module, name in BESIDE for line in _object(module, name, module)),
            ]
        ),
        "models.md": "\n".join(
            [
                "# The package `models`",
                "",
                "Needs the extra `train`. [The networks](../models.md) shows them in use.",
                "",
                *(line for path in public_modules("models") for line in _module(path)),
            ]
        ),
    }


def public_modules(package: str) -> list[Path]:
    """Return the modules of a flat package."""
    return [path for path in sorted((ROOT / package).glob("*.py")) if path.name != "__init__.py"]


def definitions(path: Path) -> Iterator[Definition]:
    """Yield the public classes and functions of a module, in their order."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_"):
            yield node


def members(node: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public methods and properties of a class."""
    for member in node.body:
        if isinstance(member, FUNCTIONS) and not member.name.startswith("_") and not _is_repeated(member):
            yield member


def _is_repeated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(mark).rpartition(".")[2] in ("setter", "overload") for mark in node.decorator_list)


def _module(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = list(definitions(path))
    if not found:
        return
    module = f"{path.parent.name}.{path.stem}"
    yield from (f"## `{module}`", "", *docstring_lines(ast.get_docstring(tree)), "")
    for node in found:
        yield from _lines(node, module)


def _object(module: str, name: str, shown_module: str) -> Iterator[str]:
    path = ROOT / f"{module.replace('.', '/')}.py"
    node = next(node for node in definitions(path) if node.name == name)
    yield from _lines(node, shown_module)


def _lines(node: Definition, module: str) -> Iterator[str]:
    """Yield a function, or a class with its fields and methods, as a directive of Sphinx."""
    kind = "class" if isinstance(node, ast.ClassDef) else "function"
    signature = node.name + (_fields(node) if isinstance(node, ast.ClassDef) else _signature(node))
    yield from (f"::::{{py:{kind}}} {module}.{signature}", "", *docstring_lines(ast.get_docstring(node)), "")
    for member in members(node) if isinstance(node, ast.ClassDef) else ():
        is_property = any("property" in ast.unparse(mark) for mark in member.decorator_list)
        mark = "property" if is_property else "method"
        shown = member.name + ("" if is_property else _signature(member, bound=True))
        yield from (f":::{{py:{mark}}} {shown}", *_type_option(member, is_property), "")
        yield from (*docstring_lines(ast.get_docstring(member)), ":::", "")
    yield from ("::::", "")


def _type_option(member: ast.FunctionDef | ast.AsyncFunctionDef, is_property: bool) -> list[str]:
    return [f":type: {ast.unparse(member.returns)}"] if is_property and member.returns else []


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool = False) -> str:
    """Return arguments and result as they stand in the source, without ``self``."""
    arguments = node.args
    is_static = any(ast.unparse(mark) == "staticmethod" for mark in node.decorator_list)
    if bound and not is_static:
        first = arguments.posonlyargs or arguments.args
        arguments = ast.parse(f"def f({ast.unparse(arguments)}): ...").body[0].args  # type: ignore[attr-defined]
        (arguments.posonlyargs if arguments.posonlyargs else arguments.args).pop(0) if first else None
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(arguments)}){result}"


def _fields(node: ast.ClassDef) -> str:
    """Return the fields of a record, or the arguments with which another class is made."""
    made_with = next((m for m in node.body if isinstance(m, FUNCTIONS) and m.name == "__init__"), None)
    if made_with is not None:
        return _signature(made_with, bound=True).partition(" -> ")[0]
    fields = [field for field in node.body if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)]
    public = [field for field in fields if not ast.unparse(field.target).startswith("_")]
    return f"({', '.join(map(ast.unparse, public))})" if public else ""


def docstring_lines(docstring: str | None) -> list[str]:
    """Return a docstring as Markdown: ``code`` in single backticks, and its sections as lists."""
    lines: list[str] = []
    section = ""
    for line in re.sub(r"``(.+?)``", r"`\1`", docstring or "", flags=re.DOTALL).splitlines():
        item = ITEM.fullmatch(line)
        if line.strip() in HEADINGS and not line.startswith(" "):
            section = line.strip()
            lines += ["", f"**{HEADINGS[section]}**", ""]
        elif not line.strip():
            lines.append("")
        elif section and not line.startswith(" "):
            section = ""
            lines += ["", _plain(line)]
        elif section and item and len(item[1]) == 4:
            lines.append(f"- `{item[2]}`: {_plain(item[3])}")
        elif section:
            lines.append(f"  {_plain(line.strip())}" if lines[-1].startswith(("- ", "  ")) else _plain(line.strip()))
        else:
            lines.append(_plain(line))
    return lines


def _plain(text: str) -> str:
    """Return a line whose signs outside of code are taken as they are."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"(?<!^)([*_<>\[\]|{}])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)
