"""A comparison of two evaluations as files, and as tables for the terminal."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from curation.runtime.csv_text import csv_text
from curation.runtime.errors import InputError
from curation.runtime.files import write_text
from curation.runtime.made_files import MadeFiles

from .compare import Comparison, Difference
from .record import HEADER_FILE, EvaluationError
from .report import render_page
from .tables import TITLES, ReportTable, format_difference, format_score, print_table

FILES = ("comparison.csv", "comparison.html", "comparison.json")


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """Write comparison.html, comparison.csv and comparison.json.

    Raises EvaluationError where files of these names are there that no comparison has made.
    """
    claim_comparison(folder)
    html = render_page(
        title=f"{comparison.first} and {comparison.second}",
        facts={
            "first": f"{comparison.first} ({comparison.first_weights})",
            "second": f"{comparison.second} ({comparison.second_weights})",
            "data set": comparison.dataset,
            "made": comparison.made,
        },
        sentences=[explain_comparison(comparison)],
        tables=comparison_tables(comparison),
    )
    write_text(folder / "comparison.csv", _comparison_csv(comparison))
    write_text(folder / "comparison.html", html)
    write_text(folder / "comparison.json", comparison.model_dump_json(indent=1) + "\n")


def claim_comparison(folder: Path, *evaluations: str) -> None:
    """Prepare the folder of a comparison, in which `evaluations` get folders of their own.

    Raises EvaluationError for a folder that holds something else.
    """
    try:
        header = json.loads((folder / "comparison.json").read_bytes())
        earlier = header["format"] == "ovct comparison 1"
    except (OSError, ValueError, KeyError, TypeError):
        earlier = False
    # A comparison of an earlier version kept no list of what it made.
    folders = [path.name for path in folder.glob("*") if (path / HEADER_FILE).is_file()] if earlier else []
    try:
        MadeFiles(folder, "comparison", (*FILES, *folders) if earlier else ()).claim(*FILES, *evaluations)
    except InputError as error:
        raise EvaluationError(str(error)) from None


def explain_comparison(comparison: Comparison) -> str:
    """Return what the numbers rest on, in words."""
    left_out = comparison.only_first + comparison.only_second
    more = f" {left_out:,} cases that only one of them has are left out." if left_out else ""
    return (
        f"{comparison.cases:,} cases of {comparison.patients:,} patients that both have.{more} Differences are second "
        "less first on the same cases; “better” where the 95 % interval of the difference in Dice leaves out 0. Of "
        "twenty structures one would do so by chance. Masks for absent structures, second less first: "
        f"{format_difference(comparison.false_masks)}."
    )


def comparison_tables(comparison: Comparison) -> list[ReportTable]:
    """Return tables of the means, then of the structures of each kind of prompt, the largest loss first."""
    header = (comparison.first, comparison.second, "Dice, difference", "NSD, difference", "better")
    means = _rows(comparison, comparison.means)
    tables = [ReportTable("means", "Overall", "Dice, and differences.", ("mean over", *header), means)]
    for kind, title in TITLES.items():
        differences = [difference for difference in comparison.subjects if difference.kind == kind]
        ordered = sorted(differences, key=lambda subject: (subject.difference.dice.value or 0.0, subject.name))
        if ordered:
            tables.append(ReportTable(kind, title, "", ("structure", *header), _rows(comparison, ordered)))
    return tables


def print_comparison(comparison: Comparison, console: Console, limit: int = 10) -> None:
    """Print the means, and the `limit` structures that lose most by name."""
    for table in comparison_tables(comparison)[:2]:
        print_table(table, console, limit)
    console.print(explain_comparison(comparison), style="dim", markup=False, highlight=False)


def _rows(comparison: Comparison, differences: Sequence[Difference]) -> list[tuple[str, ...]]:
    names = {"first": comparison.first, "second": comparison.second, None: "not told apart"}
    return [
        (
            subject.name,
            format_score(subject.first.dice),
            format_score(subject.second.dice),
            format_difference(subject.difference.dice),
            format_difference(subject.difference.nsd),
            names[subject.better],
        )
        for subject in differences
    ]


def _comparison_csv(comparison: Comparison) -> str:
    header = "kind,name,cases,first_dice,second_dice,dice_difference,low,high,first_nsd,second_nsd,nsd_difference,"
    rows = []
    for subject in (*comparison.means, *comparison.subjects):
        dice, nsd = subject.difference.dice, subject.difference.nsd
        rows.append([
            subject.kind, subject.name, dice.count, subject.first.dice.value, subject.second.dice.value,
            dice.value, dice.low, dice.high, subject.first.nsd.value, subject.second.nsd.value,
            nsd.value, nsd.low, nsd.high, subject.better,
        ])  # fmt: skip
    return csv_text([*f"{header}nsd_low,nsd_high,better".split(",")], rows)
