"""What `ovct curate` and `ovct merge` print at the end: counts, bars, a caption of each status, the next command."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from curation.caption_set.set_files import CARD_FILE, PLOT_FILE, part_path
from curation.caption_set.stats import COLOURS, STATUSES, SetSummary, facts_of
from curation.runtime.urls import is_url

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

MOST_ORGANS = 5
LONGEST_BAR = 44
LONGEST_EXAMPLE = 64
# Statuses are told apart without colour too; the last signs are those of terminals that have only ASCII.
SIGNS = {"normal": ("░", "."), "abnormal": ("█", "#"), "uncertain": ("▒", "?")}


def show_closing(summary: SetSummary, console: Console, where: str) -> None:
    """Print what a run came to; ``where`` is what to call the set's place."""
    for number, block in enumerate(_blocks(summary, console, where)):
        if number:
            console.print()
        console.print(block, soft_wrap=True)


def _blocks(summary: SetSummary, console: Console, where: str) -> Iterator[RenderableType]:
    yield _facts(summary)
    if summary.captions:
        yield _bars(summary, ascii_only=console.options.ascii_only)
    # Reports and reasons have signs that a terminal with ASCII alone cannot show.
    if not console.options.ascii_only and (examples := list(_examples(summary))):
        yield _example_lines(examples)
    if summary.manifest.complete:
        yield _next_steps(summary, where)
    else:
        yield f"In {where} (unfinished: run the same `ovct curate` again to finish it)"


def _facts(summary: SetSummary) -> RenderableType:
    from rich.table import Table

    facts = facts_of(summary)
    facts["engine"] += f": {facts.pop('reports')} reports in {facts.pop('time')}"
    if facts["skipped rows"] == "0":
        del facts["skipped rows"]
    by_status = {name: sum(n for (_, status), n in summary.captions.items() if status == name) for name in STATUSES}
    if told := ", ".join(f"{count:,} {name}" for name, count in by_status.items() if count):
        facts["captions"] += f" of {len(summary.organs()):,} organs and parts: {told}"
    refused = sorted(summary.rejects.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in refused)
    if refused:
        facts["refused captions"] = f"{summary.rejects.total():,} ({reasons})" if len(refused) > 1 else reasons
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def _bars(summary: SetSummary, *, ascii_only: bool) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    organs = summary.organs()
    signs = {status: SIGNS[status][ascii_only] for status in STATUSES}
    scale = min(1.0, LONGEST_BAR / organs[0][1])
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    legend = Text("  ").join(Text(f"{signs[status]} {status}", COLOURS[status]) for status in STATUSES)
    table.add_row(Text("captions by organ", "bold"), "", legend)
    for organ, total in organs[:MOST_ORGANS]:
        bar, drawn, so_far = Text(), 0, 0
        for status in STATUSES:  # the ends are rounded, so that the whole bar has the right length
            so_far += summary.captions[organ, status]
            end = max(round(so_far * scale), drawn)
            bar.append(signs[status] * (end - drawn), COLOURS[status])
            drawn = end
        table.add_row(organ, f"{total:,}", bar)
    if rest := organs[MOST_ORGANS:]:
        table.add_row(f"{len(rest):,} more", f"{sum(count for _, count in rest):,}", "")
    return table


def _examples(summary: SetSummary) -> Iterator[tuple[str, str]]:
    """Yield a caption of each status, the first ones from a third of the first part on, and the first refusal.

    Only what is short is shown, and nothing of a set that lies in a store alone. A third was chosen by looking at what
    several places show of the example reports: the examples illustrate, and are no sample of how good a set is.
    """
    import pyarrow.parquet as pq

    paths = {table: part_path(summary.root, table, 0) for table in ("reports", "captions", "rejects")}
    if not all(path.exists() for path in paths.values()):
        return
    reports = pq.read_table(paths["reports"], columns=["report_id"])["report_id"].to_pylist()
    wanted = reports[len(reports) // 3 :] + reports[: len(reports) // 3]
    columns = ["report_id", "organ", "status", "caption"]
    captions = pq.read_table(paths["captions"], columns=columns).to_pylist()
    place = {report_id: number for number, report_id in enumerate(wanted)}
    captions.sort(key=lambda row: place.get(row["report_id"], len(wanted)))  # stable: within a report as they stand
    for status in STATUSES:
        if row := next(filter(_is_short, (row for row in captions if row["status"] == status)), None):
            yield status, f"{row['organ']} ({row['report_id']}): {row['caption']}"
    rejects = pq.read_table(paths["rejects"], columns=["report_id", "organ", "reason", "detail", "caption"]).to_pylist()
    if row := next(filter(_is_short, rejects), None):
        yield "refused", f"{row['organ']} ({row['report_id']}): {row['caption']} | {row['detail'] or row['reason']}"


def _is_short(row: Mapping[str, str]) -> bool:
    return len(row["caption"]) <= LONGEST_EXAMPLE


def _example_lines(examples: list[tuple[str, str]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, told in examples:
        table.add_row(Text(name, COLOURS.get(name, "bold")), Text(told))
    return table


def _next_steps(summary: SetSummary, where: str) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    program, place = _program(), shlex.quote(where)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    if shard := summary.manifest.settings.shard:
        table.add_row(f"{program} merge ...", f"join all shares when they are there; this is {shard}")
    elif summary.captions and not is_url(where):
        table.add_row(f"{program} audit {place} --sample 100", "how many are wrong? read 100 of them")
    table.add_row(f"{program} stats {place}", "all figures, and words not understood")
    files = f"In {where}: captions/, rejects/ and reports/ (Parquet), {CARD_FILE} (data card), {PLOT_FILE}"
    return Group(Text(files), Text("Next:"), table)


def _program() -> str:
    """Return how this program is called: by its path, where the shell would not find it by name."""
    called = sys.argv[0]
    return called if Path(called).name == "ovct" and shutil.which("ovct") is None else "ovct"
