"""Plots of an audit: shares with their intervals."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from curation.caption_set.audit_results import AuditResults
from curation.runtime.files import whole_file

from .tables import SHOWN, Row, groups

INK, BAR = "#1f5f8b", "#b9d3e6"
PLOTTED = ("verdict", "status", "organ", "reason")


def score_figure(results: AuditResults) -> Figure:
    """Hallucinations by score: a point with its interval for each band, as wide as its share of the set."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    bands = results.calibration
    total = sum(band.captions for band in bands) or 1
    judged = next((place for place, band in enumerate(bands) if band.hallucinated.rate is not None), None)
    for place, band in enumerate(bands):
        found = band.hallucinated
        axes.bar(
            place, 100 * band.captions / total, color=BAR, width=0.8, label=None if place else "captions of the set"
        )
        if found.rate is None:
            continue
        _point(axes.errorbar, place, found.rate, found.low, found.high, "hallucinated" if place == judged else None)
    names = [f"{row.name}\n{row.estimate.hits:,} of {row.estimate.reviewed:,}" for row in _group(results, "score")]
    axes.set_xticks(range(len(names)), names, fontsize="small")
    axes.set_xlabel("score, and hallucinated captions of those judged")
    axes.set_ylabel("percent")
    axes.set_ylim(0, 100)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title("Hallucinations by score")
    return figure


def _point(draw: Any, place: float, rate: float, low: float, high: float, label: str | None) -> None:
    error = [[100 * max(0.0, rate - low)], [100 * max(0.0, high - rate)]]
    draw(place, 100 * rate, yerr=error, fmt="o", color=INK, capsize=4, label=label)


def rate_figure(rows: Sequence[Row]) -> Figure:
    """Shares with their intervals, one below the other."""
    shown = list(rows[:SHOWN])[::-1]
    figure = Figure(figsize=(6.4, 1.1 + 0.28 * max(len(shown), 2)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(shown):
        found = row.estimate
        axes.plot([100 * found.low, 100 * found.high], [place, place], color=BAR, linewidth=5, solid_capstyle="butt")
        if found.rate is not None:
            axes.plot(100 * found.rate, place, "o", color=INK, clip_on=False)
    axes.set_yticks(range(len(shown)), [f"{row.name} ({row.estimate.reviewed:,})" for row in shown], fontsize="small")
    axes.set_xlim(0, 100)
    axes.set_xlabel("percent, with the 95 % interval")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _group(results: AuditResults, key: str) -> list[Row]:
    return next((group.rows for group in groups(results) if group.key == key), [])


def figures(results: AuditResults) -> dict[str, Figure]:
    """All plots of the report, by the key of the table that they belong to."""
    found = {group.key: rate_figure(group.rows) for group in groups(results) if group.key in PLOTTED}
    return {**found, "score": score_figure(results)} if results.calibration else found


def as_svg(figure: Figure) -> str:
    """A plot as an SVG element. The same results, the same text."""
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "ovct", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue().decode()
    return text[text.index("<svg") :]


def save_png(figure: Figure, path: Path) -> None:
    """Write a plot as a whole PNG file."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
