"""The results of an evaluation as files: JSON, two CSVs, and a report that is one HTML file and needs no network."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment

from curation.runtime.files import write_text

from .csv_files import prompts_csv, summary_csv
from .previews import PREDICTION, REFERENCE, masks_beside
from .record import PREVIEWS, CaseResult
from .results import EvaluationSummary, ListedFailure
from .tables import ReportTable, describe_failure, explain, prompt_table, subject_tables, summary_tables

SUMMARY_FILE = "summary.json"


def write_results(folder: Path, summary: EvaluationSummary, cases: Sequence[CaseResult]) -> None:
    """Write all files of the results, `summary.json` last."""
    write_text(folder / "prompts.csv", prompts_csv(cases))
    write_text(folder / "summary.csv", summary_csv(summary))
    write_text(folder / "report.html", report_html(summary, folder / PREVIEWS))
    write_text(folder / SUMMARY_FILE, summary.model_dump_json(indent=1) + "\n")


def report_html(summary: EvaluationSummary, previews: Path) -> str:
    """Return the report as HTML; pictures that are not in `previews` are left out."""
    prompts = prompt_table(summary)
    return render_page(
        title=f"Evaluation of {Path(summary.checkpoint).name} on {Path(summary.dataset).name}",
        facts={
            "checkpoint": f"{summary.checkpoint} ({summary.weights})",
            "data set": f"{summary.dataset} ({summary.layout})",
            "thresholds": f"voxel {summary.settings.threshold:g}, presence {summary.settings.presence_threshold:g}",
            "made": f"{summary.made}, ovct {summary.ovct}",
        },
        sentences=explain(summary),
        tables=[*summary_tables(summary), *subject_tables(summary)],
        folded=[prompts] if prompts else [],
        failures=[
            {
                "title": "Lowest Dice, asked by name",
                "entries": [_failure_entry(failure, previews) for failure in summary.worst],
            },
            {
                "title": "Largest false masks",
                "entries": [_failure_entry(failure, previews) for failure in summary.false_masks],
            },
        ],
        notes=[
            {"title": "Left out", "entries": [f"{skipped.case}: {skipped.what}" for skipped in summary.left_out]},
            {"title": "Warnings", "entries": summary.warnings},
        ],
    )


def render_page(
    *,
    title: str,
    facts: Mapping[str, str],
    sentences: Sequence[str],
    tables: Sequence[ReportTable],
    folded: Sequence[ReportTable] = (),
    failures: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return one HTML file with everything in it; the `folded` tables are shown on a click."""
    template = files("train.evaluation").joinpath("report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        title=title,
        facts=facts,
        sentences=sentences,
        tables=tables,
        folded=folded,
        failures=failures,
        notes=notes,
        reference=REFERENCE,
        prediction=PREDICTION,
    )


def _failure_entry(failure: ListedFailure, previews: Path) -> dict[str, str]:
    path, masks = previews / failure.picture, previews / masks_beside(failure.picture)
    return {
        "case": failure.case,
        "structure": failure.structure,
        "text": describe_failure(failure),
        "image": base64.b64encode(path.read_bytes()).decode() if path.is_file() else "",
        "command": f"ovct view {shlex.quote(str(masks))}" if masks.is_file() else "",
    }
