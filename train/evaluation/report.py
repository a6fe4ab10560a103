"""The results of an evaluation as files: JSON, two CSVs, and a report that is one HTML file and needs no network."""

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment

from curation.runtime.files import write_text

from .previews import PREDICTION, REFERENCE
from .record import PREVIEWS, CaseResult
from .results import Listed, Summary
from .tables import Grid, grids, listed_text, prompt_grid, prompts_csv, sentences, subject_grids, summary_csv

SUMMARY_FILE = "summary.json"


def publish(folder: Path, summary: Summary, cases: Sequence[CaseResult]) -> None:
    """Write all files of the results."""
    write_text(folder / "prompts.csv", prompts_csv(cases))
    write_text(folder / "summary.csv", summary_csv(summary))
    write_text(folder / "report.html", report(summary, folder / PREVIEWS))
    write_text(folder / SUMMARY_FILE, summary.model_dump_json(indent=1) + "\n")


def report(summary: Summary, previews: Path) -> str:
    """The report; pictures that are not in `previews` are left out."""
    every = prompt_grid(summary)
    return page(
        title=f"Evaluation of {Path(summary.checkpoint).name} on {Path(summary.dataset).name}",
        facts={
            "checkpoint": f"{summary.checkpoint} ({summary.weights})",
            "data set": f"{summary.dataset} ({summary.layout})",
            "thresholds": f"voxel {summary.settings.threshold:g}, presence {summary.settings.presence_threshold:g}",
            "made": f"{summary.made}, ovct {summary.ovct}",
        },
        sentences=sentences(summary),
        grids=[*grids(summary), *subject_grids(summary)],
        folded=[every] if every else [],
        failures=[
            {"title": "Lowest Dice, asked by name", "entries": [_shown(one, previews) for one in summary.worst]},
            {"title": "Largest false masks", "entries": [_shown(one, previews) for one in summary.false_masks]},
        ],
        notes=[
            {"title": "Left out", "entries": [f"{one.case}: {one.what}" for one in summary.left_out]},
            {"title": "Warnings", "entries": summary.warnings},
        ],
    )


def page(
    *,
    title: str,
    facts: Mapping[str, str],
    sentences: Sequence[str],
    grids: Sequence[Grid],
    folded: Sequence[Grid] = (),
    failures: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[Mapping[str, Any]] = (),
) -> str:
    """One HTML file with everything in it."""
    template = files("train.evaluation").joinpath("report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        title=title,
        facts=facts,
        sentences=sentences,
        grids=grids,
        folded=folded,
        failures=failures,
        notes=notes,
        reference=REFERENCE,
        prediction=PREDICTION,
    )


def _shown(one: Listed, previews: Path) -> dict[str, str]:
    path = previews / one.picture
    image = base64.b64encode(path.read_bytes()).decode() if path.is_file() else ""
    return {"case": one.case, "structure": one.structure, "text": listed_text(one), "image": image}
