"""The results of zero-shot findings: `findings.json`, two CSV files, and a table for the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from curation.runtime.files import write_text

from ..bootstrap import BootstrapEstimate
from ..tables import NOTHING, format_score

RESULTS_FILE, TABLE_FILE, SCORES_FILE = "findings.json", "findings.csv", "scores.csv"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Area(_Record):
    """An area under the ROC curve with its 95 % interval; null where it is not defined."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, estimate: BootstrapEstimate) -> Area:
        """Return the area of an estimate."""
        return cls(value=estimate.value, low=estimate.low, high=estimate.high)

    def text(self) -> str:
        """Return the area with its interval in words."""
        return format_score(BootstrapEstimate(self.value, self.low, self.high, 0))


class FindingResult(_Record):
    """What was measured of a finding. `read_from` has the classes of the organ's part, none for the whole volume."""

    finding: str
    organ: str
    present_prompt: str
    absent_prompt: str
    read_from: tuple[str, ...]
    positive: int
    negative: int
    auc: Area


class FindingSummary(_Record):
    """What `findings.json` holds. `mgcl` is what the checkpoint holds captions against."""

    dataset: str
    checkpoint: str
    weights: str
    labels: str
    split: str
    mgcl: str
    cases: int
    patients: int
    seen: int
    left_out: tuple[str, ...]
    findings: tuple[FindingResult, ...]
    mean_auc: Area


def write_findings(
    folder: Path, summary: FindingSummary, cases: Sequence[str], probabilities: NDArray[np.float64]
) -> None:
    """Write all files of the results, `findings.json` last."""
    names = [result.finding for result in summary.findings]
    table: list[Sequence[object]] = [
        ["finding", "organ", "read_from", "positive", "negative", "auc", "auc_low", "auc_high"]
    ]
    for result in summary.findings:
        area = [
            value if value is None else round(value, 4) for value in (result.auc.value, result.auc.low, result.auc.high)
        ]
        read_from = " ".join(result.read_from) or "whole"
        table.append([result.finding, result.organ, read_from, result.positive, result.negative, *area])
    write_text(folder / TABLE_FILE, _csv(table))
    rows = [[case, *(f"{value:.6g}" for value in row)] for case, row in zip(cases, probabilities, strict=True)]
    write_text(folder / SCORES_FILE, _csv([["case", *names], *rows]))
    write_text(folder / RESULTS_FILE, summary.model_dump_json(indent=1) + "\n")


def print_findings(summary: FindingSummary, out: Path, console: Console) -> None:
    """Print the table of areas and the mean over findings, and that the files are in `out`."""
    table = Table("finding", "read from", "positive", "negative", "AUC", box=None, title_justify="left")
    for result in summary.findings:
        read_from = Text(result.organ if result.read_from else "whole volume")
        counts = f"{result.positive:,}", f"{result.negative:,}"
        table.add_row(Text(result.finding), read_from, *counts, result.auc.text())
    console.print(table)
    undefined = sum(result.auc.value is None for result in summary.findings)
    without = f", without {undefined} that all or no cases have ({NOTHING})" if undefined else ""
    sentences = [
        f"Mean AUC of {len(summary.findings) - undefined} findings{without}: {summary.mean_auc.text()}; "
        f"{summary.cases:,} cases of {summary.patients:,} patients, split {summary.split}."
    ]
    if summary.seen:
        sentences.append(f"Training has seen {summary.seen:,} of them: their numbers say nothing of new ones.")
    left_out = f"; {len(summary.left_out):,} volumes were left out" if summary.left_out else ""
    sentences.append(f"In {out}: {RESULTS_FILE}, {TABLE_FILE}, {SCORES_FILE}{left_out}")
    for sentence in sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()
