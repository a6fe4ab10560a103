"""The picture and the table of the packages in docs/layout.md, from the levels that tests/test_layout.py holds."""

from __future__ import annotations

from html import escape
from pathlib import Path

from tests.test_layout import LEVELS, MAY_IMPORT, ROOT

PICTURE = ROOT / "docs" / "images" / "packages.svg"
ROW, BOX, GAP, MARGIN, TITLE = 40, 28, 8, 16, 26
WIDTHS = {"curation": 420, "train": 300}
FILLS = {"ovct": "#e8eaf0", "curation": "#dcebe7", "train": "#f5e4de", "prompts": "#f6eccf", "models": "#e6e0f0"}
RULES = (
    "Within a frame, a package imports only from rows below its own. curation imports prompts; train imports models,",
    "prompts and, of curation, runtime, caption_set and what commands share in cli.",
)


def file_or_folder(folder: str, box: str) -> str:
    """The name of a box as it lies in its folder."""
    return f"{box}.py" if (ROOT / folder / f"{box}.py").exists() else box


def level_table() -> str:
    """The packages of each top-level folder, level by level, as a table in Markdown."""
    lines = [
        "| folder | imports of the others | its packages, each importing only from those to its left |",
        "| --- | --- | --- |",
    ]
    for folder, others in MAY_IMPORT.items():
        levels = [", ".join(f"`{file_or_folder(folder, box)}`" for box in level) for level in LEVELS.get(folder, ())]
        name = "`ovct.py`" if folder == "ovct" else f"`{folder}/`"
        imported = ", ".join(f"`{other}`" for other in MAY_IMPORT if other in others) or "nothing of ours"
        lines.append(f"| {name} | {imported} | {' < '.join(levels) or 'flat'} |")
    return "\n".join(lines) + "\n"


def package_picture() -> str:
    """The same as a drawing (SVG): a row for each level, and a package imports from the rows below its own."""
    rows = max(map(len, LEVELS.values()))
    width = sum(WIDTHS.values()) + 3 * MARGIN
    bottom = MARGIN + 2 * ROW + TITLE + rows * ROW
    height = bottom + ROW + 2 * MARGIN + len(RULES) * TITLE
    parts = [box("ovct.py: the commands and the Python API", MARGIN, MARGIN, width - 2 * MARGIN, FILLS["ovct"])]
    left = MARGIN
    for folder, levels in LEVELS.items():
        top = bottom - len(levels) * ROW
        parts.append(frame(f"{folder}/", left, top - TITLE, WIDTHS[folder], len(levels) * ROW + TITLE, FILLS[folder]))
        for number, level in enumerate(reversed(levels)):
            across = (WIDTHS[folder] - 2 * GAP - (len(level) - 1) * GAP) / len(level)
            for place, name in enumerate(level):
                x = left + GAP + place * (across + GAP)
                parts.append(box(file_or_folder(folder, name), x, top + number * ROW, across, "#ffffff"))
        left += WIDTHS[folder] + MARGIN
    parts.append(box("prompts/", MARGIN, bottom + MARGIN, WIDTHS["curation"], FILLS["prompts"]))
    parts.append(box("models/", 2 * MARGIN + WIDTHS["curation"], bottom + MARGIN, WIDTHS["train"], FILLS["models"]))
    for number, rule in enumerate(RULES):
        y = bottom + ROW + 2 * MARGIN + number * TITLE
        parts.append(f'<text x="{MARGIN}" y="{y + 8}" font-size="13" fill="#555555">{escape(rule)}</text>')
    style = 'font-family="system-ui, Helvetica, Arial, sans-serif" text-rendering="geometricPrecision"'
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>'
    background = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, "<title>The packages, and what each may import</title>", background, *parts, "</svg>", ""])


def box(name: str, x: float, y: float, width: float, fill: str) -> str:
    """A box with a name in its middle."""
    size = min(14.0, (width - 6) / (0.58 * len(name)))
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX}" rx="4" fill="{fill}" stroke="#8a8f98"/>'
        f'<text x="{x + width / 2:g}" y="{y + BOX / 2 + 5:g}" font-size="{size:.1f}" fill="#1c1e21" '
        f'text-anchor="middle">{escape(name)}</text>'
    )


def frame(name: str, x: float, y: float, width: float, height: float, fill: str) -> str:
    """A frame with a name at its top, for boxes to stand in."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}"/>'
        f'<text x="{x + 8:g}" y="{y + 18:g}" font-size="14" font-weight="600" fill="#1c1e21">{escape(name)}</text>'
    )


def write_picture(path: Path = PICTURE) -> None:
    """Write the picture."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(package_picture(), encoding="utf-8")
