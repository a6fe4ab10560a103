"""The small inputs that ship with the project, and the worked examples of the pages: what they show is what is printed.

`python -m tests.test_examples` writes what is printed now into the pages.
"""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Pages whose examples are shown with what they print.
PAGES = (ROOT / "README.md", ROOT / "docs" / "start" / "tutorial.md")

# A command with what it prints, or a Python block with the text block behind it.
EXAMPLE = re.compile(
    r"(?<=```console\n)\$ (?P<command>ovct [^\n]*)\n(?P<shown>.*?)(?=```)"
    r"|(?<=```python\n)(?P<code>[^`]*)```\n+```text\n(?P<printed>.*?)(?=```)",
    re.DOTALL,
)
VARIES = re.compile(r"\d[\d.,]*(?= *(s|seconds?|reports/s)\b)|(?<=127\.0\.0\.1:)\d+|(?<=token=)\S+|(?<=drawn )[\d-]+")
# What a review prints when its page can be opened.
SERVES = "Ctrl-C ends the review"


def run(example: re.Match[str], folder: Path) -> str:
    """What the example prints in `folder`, on a terminal of 100 columns; a review ends when its page can be opened."""
    if example["command"]:
        call = [sys.executable, "-m", "ovct", *shlex.split(example["command"])[1:]]
        call += ["--port", "0", "--no-browser"] if " --sample " in example["command"] else []
    else:
        call = [sys.executable, "-c", example["code"]]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    lines = []
    with subprocess.Popen(
        call, cwd=folder, env=surroundings, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip() + "\n")
            if line.startswith(SERVES):
                (link,) = re.findall(r"http://\S+", "".join(lines))
                with urlopen(link, timeout=60):  # an answer says that the server takes signals
                    process.terminate()
    assert process.returncode == 0, "".join(lines)
    return "".join(lines)


def run_all(page: str, folder: Path) -> Iterator[tuple[re.Match[str], str]]:
    """Each example of a page with what it prints, one after the other in one folder."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    for example in EXAMPLE.finditer(page):
        yield example, run(example, folder)


def without_speed(text: str) -> str:
    """`text` without what differs from run to run: seconds, rates, and the blanks and rules that line up with them."""
    return re.sub(r"[─━ \t]+", " ", VARIES.sub("#", text)).strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_is_printed(page: Path, tmp_path: Path) -> None:
    examples = list(run_all(page.read_text(encoding="utf-8"), tmp_path))
    assert any(example["command"] for example, _ in examples), f"{page.name} has no worked example"
    for example, printed in examples:
        assert without_speed(printed) == without_speed(example["shown"] or example["printed"] or ""), (
            f"{page.name} shows something else: python -m tests.test_examples writes it anew"
        )


def rows() -> list[dict[str, str]]:
    with (ROOT / "examples/reports.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_reports_are_many_and_of_report_length() -> None:
    lengths = {row["report_id"]: len(f"{row['findings']} {row['impression']}".split()) for row in rows()}
    assert len(lengths) == len(rows()) >= 36
    assert {name: words for name, words in lengths.items() if not 60 <= words <= 250} == {}


@pytest.mark.parametrize(
    "kind", ["chest", "abdomen", "pelvis", "head", "neck", "sinus", "spine", "trauma", "angio", "oncology", "urography"]
)
def test_every_kind_of_examination_is_there(kind: str) -> None:
    assert any(row["report_id"].startswith(kind) for row in rows())


def test_two_examples_are_told_apart_and_speed_is_ignored() -> None:
    page = (
        "```console\n$ ovct stats\nreports  2\n1.25 s, 40 reports/s\n```\n\n"
        "```python\nprint(1)\n```\n\n```text\n1\n```\n\n```sh\nmake demo\n```\n"
    )
    first, second = EXAMPLE.finditer(page)
    assert (first["command"], first["shown"]) == ("ovct stats", "reports  2\n1.25 s, 40 reports/s\n")
    assert (second["code"], second["printed"]) == ("print(1)\n", "1\n")
    assert without_speed("reports   2\n11 s, 3,120 reports/s") == without_speed(first["shown"])
    assert without_speed("reports 3\n1 s, 4 reports/s") != without_speed(first["shown"])


def main() -> None:
    """Write what the examples print now into the pages."""
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            ran = list(run_all(page, Path(folder)))
        for example, printed in reversed(ran):
            group = "shown" if example["command"] else "printed"
            if without_speed(printed) == without_speed(example[group]):  # what differs from run to run stays as it was
                continue
            page = page[: example.start(group)] + printed + page[example.end(group) :]
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
