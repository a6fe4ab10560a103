"""Count what is in a caption set, and show it as tables on the terminal and as a plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curation.caption import Reason
from curation.readers.examinations.counts import others_told
from curation.report_language.languages import ENGLISH, UNDETERMINED, counts_by_language
from curation.runtime.errors import InputError
from curation.runtime.files import whole_file
from curation.runtime.progress import Progress, readable

from .manifest import Manifest, load_manifest
from .privacy_check import privacy_lines
from .resuming import check_set
from .set_files import part_path, tables_of
from .unknown_words import UnknownWord, unknown_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


STATUSES = ("normal", "abnormal", "uncertain")
COLOURS = {"normal": "#7fb3a8", "abnormal": "#c8553d", "uncertain": "#e3b23c"}
TOP_ORGANS = 20
TOP_WORDS = 15
PLOT_FORMATS = (".png", ".svg")
MARK, MARK_BYTES = b"ovct", 2_000
"""What a plot says of itself, within its first bytes."""


@dataclass(slots=True)
class SetSummary:
    """Counts of a caption set: ``captions`` by organ and status, ``rejects`` by reason.

    ``bases`` counts the captions that do not rest on the verifier's reading by what they rest on. ``unknown_words``
    are those on which statements were refused, the costliest first; only a count of the files has them.
    """

    root: Path
    manifest: Manifest
    reports: int = 0
    captions: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    bases: Counter[str] = field(default_factory=Counter)
    unknown_words: list[UnknownWord] = field(default_factory=list)

    def organs(self) -> list[tuple[str, int]]:
        """Return the organs with their numbers of captions, most first."""
        totals = Counter[str]()
        for (organ, _), count in self.captions.items():
            totals[organ] += count
        return sorted(totals.items(), key=lambda item: (-item[1], item[0]))


def summary_of(root: Path, manifest: Manifest) -> SetSummary:
    """Return the counts that the manifest has."""
    counts = manifest.counts
    captions, rejects, bases = counts.by_organ_and_status(), Counter(counts.rejects), Counter(counts.bases)
    return SetSummary(root, manifest, counts.reports, captions, rejects, bases)


def count_set(root: Path, progress: Progress | None = None) -> SetSummary:
    """Count the rows of a caption set's finished parts on disk. Nothing is written.

    Raises ``ManifestError`` where there is no set, ``SetError`` where a file is not as it was written.
    """
    import pyarrow.parquet as pq

    summary, progress = SetSummary(root, load_manifest(root)), progress or Progress()
    tables = tables_of(summary.manifest.settings)
    check_set(root, summary.manifest, tables, check=progress.raise_if_interrupted, tell=progress.warning)
    for index in range(len(summary.manifest.parts)):
        summary.reports += pq.read_metadata(part_path(root, "reports", index)).num_rows
        for (organ, status), count in _counted(part_path(root, "captions", index), ["organ", "status"]):
            summary.captions[organ, status] += count
        for (basis,), count in _counted(part_path(root, "captions", index), ["basis"]):
            if basis not in (None, "rules"):
                summary.bases[basis] += count
        for (reason,), count in _counted(part_path(root, "rejects", index), ["reason"]):
            summary.rejects[reason] += count
    if summary.rejects[Reason.NOT_UNDERSTOOD]:
        summary.unknown_words = unknown_words(root, len(summary.manifest.parts))
    return summary


def _counted(path: Path, columns: list[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield values of the columns with the number of rows that have them, a batch at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        if not set(columns) <= set(file.schema_arrow.names):  # a column that sets of earlier versions lack
            return
        for batch in file.iter_batches(columns=columns):
            groups = pa.Table.from_batches([batch]).group_by(columns).aggregate([([], "count_all")])
            for row in groups.to_pylist():
                yield tuple(row[column] for column in columns), row["count_all"]


def show(summary: SetSummary, console: Console, where: str | None = None) -> None:
    """Print the tables of ``ovct stats``; ``where`` is what to call the set's place."""
    from rich.table import Table

    manifest = summary.manifest
    table = Table.grid(padding=(0, 2))
    for name, value in facts_of(summary).items():
        table.add_row(name, value)
    console.print(table)
    if summary.captions:
        console.print(_organ_table(summary))
    if summary.rejects:
        console.print(reason_table("refused captions", summary.rejects))
    else:
        console.print("No caption was refused.\n")
    if summary.unknown_words:
        console.print(_word_table(summary.unknown_words))
    state = "" if manifest.complete else " (unfinished: run the same `ovct curate` again to finish it)"
    console.print(f"In {where or summary.root}{state}", markup=False, highlight=False, soft_wrap=True)


def facts_of(summary: SetSummary) -> dict[str, str]:
    """Return what is told of a set in a line each, by name."""
    manifest = summary.manifest
    made_by = [
        manifest.settings.engine,
        manifest.settings.model,
        manifest.settings.prompt and manifest.settings.prompt[:12],
    ]
    rate = f" ({summary.reports / manifest.seconds:,.0f} reports/s)" if manifest.seconds else ""
    facts = {
        "engine": ", ".join(filter(None, made_by)),
        "reports": f"{summary.reports:,}",
        **_languages(summary),
        "skipped rows": "?" if manifest.skipped is None else f"{manifest.skipped:,}",
        "captions": f"{sum(summary.captions.values()):,}{bases_told(summary.bases)}",
        "refused captions": f"{sum(summary.rejects.values()):,}",
        "time": f"{readable(manifest.seconds)}{rate}",
        **_usage(summary),
    }
    if lines := privacy_lines(manifest):
        facts["privacy"] = "\n".join(lines)
    if others := others_told(manifest.modalities or {}, manifest.settings.modality):
        facts["examinations"] = others
    return facts


BASES = {"model": "by a second opinion about a word", "quote": "by a quote in another language"}
"""What captions rest on that do not rest on the verifier's reading of the report."""


def bases_told(bases: Mapping[str, int]) -> str:
    """Return the captions by what they rest on, as the end of a sentence; "" where all rest on the verifier."""
    told = [f"{bases[basis]:,} {meaning}" for basis, meaning in BASES.items() if bases.get(basis)]
    return f", of them {' and '.join(told)}" if told else ""


def _languages(summary: SetSummary) -> dict[str, str]:
    """Return the reports by language; nothing where all are English, or they were not counted."""
    counts = summary.manifest.counts.languages
    if not counts.keys() - {ENGLISH, UNDETERMINED}:
        return {}
    return {"languages": counts_by_language(counts)}


def _usage(summary: SetSummary) -> dict[str, str]:
    """Return what a language model cost, and the share of its captions that was accepted."""
    usage, counts = summary.manifest.usage, summary.manifest.counts
    if usage is None:
        return {}
    accepted = sum(summary.captions.values())
    judged = accepted + sum(count for reason, count in summary.rejects.items() if reason != Reason.DUPLICATE)
    kinds = {"retries": usage.retries, "repairs": usage.repairs, "second opinions": usage.opinions}
    again = [f"{count:,} {name}" for name, count in kinds.items() if count]
    speed = f", {usage.tokens_per_second:,.0f} out a second" if usage.tokens_per_second else ""
    facts = {
        "questions": ", ".join([f"{usage.questions:,}", *again]),
        "tokens": f"{usage.prompt_tokens:,} in, {usage.completion_tokens:,} out{speed}",
        "accepted": f"{accepted / judged:.1%}" if judged else "nothing was claimed",
    }
    if usage.failures:
        facts["without an answer"] = f"{usage.failures:,}"
    if counts.returned:
        facts["repaired"] = f"{counts.repaired:,} of {counts.returned:,} refused captions that went back"
    if usage.cost is not None:
        facts["cost"] = f"{usage.cost:,.4g}"
    return facts


def _organ_table(summary: SetSummary) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("captions by organ")
    for status in (*STATUSES, "all"):
        table.add_column(status, justify="right")
    organs = summary.organs()
    for organ, total in organs[:TOP_ORGANS]:
        table.add_row(organ, *(f"{summary.captions[organ, status]:,}" for status in STATUSES), f"{total:,}")
    rest = [organ for organ, _ in organs[TOP_ORGANS:]]
    if rest:
        counts = [sum(summary.captions[organ, status] for organ in rest) for status in STATUSES]
        table.add_row(f"{len(rest):,} more", *map("{:,}".format, counts), f"{sum(counts):,}")
    counts = [sum(n for (_, status), n in summary.captions.items() if status == column) for column in STATUSES]
    table.add_section()
    table.add_row(f"all {len(organs):,}", *map("{:,}".format, counts), f"{sum(counts):,}")
    return table


def reason_table(title: str, reasons: Counter[str]) -> Table:
    """Return a table of refused captions by reason, most first."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(title)
    table.add_column("", justify="right")
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(reason, f"{count:,}")
    return table


def _word_table(words: Sequence[UnknownWord]) -> Table:
    """Return a table of the words on which most statements were refused, each with one of them."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("words not understood", no_wrap=True, min_width=20)
    table.add_column("statements", justify="right", no_wrap=True, min_width=10)
    table.add_column("one of them", no_wrap=True, overflow="ellipsis", ratio=1)
    for word in words[:TOP_WORDS]:
        table.add_row(Text(word.word), f"{word.statements:,}", Text(word.example))
    if len(words) > TOP_WORDS:
        table.add_row(f"{len(words) - TOP_WORDS:,} more", "", "")
    return table


def check_plot_path(path: Path) -> None:
    """Raise ``InputError`` if no plot can be written to a path."""
    if path.suffix.lower() not in PLOT_FORMATS:
        raise InputError(f"{path}: a plot is written as {' or '.join(PLOT_FORMATS)}")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; make it first, or name another place for the plot")


def is_foreign_plot(path: Path) -> bool:
    """Return whether a file is there that ``draw`` has not drawn: its pictures say so at their beginning."""
    return path.exists() and (not path.is_file() or MARK not in path.read_bytes()[:MARK_BYTES])


def draw(summary: SetSummary, path: Path) -> None:
    """Draw the captions of the most frequent organs, stacked by status, as PNG or SVG.

    Raises ``InputError`` for another format, and for a file that is there and is no plot.
    """
    check_plot_path(path)
    if is_foreign_plot(path):
        raise InputError(f"{path} is there already and is no plot of ovct: move it away, or name another file")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    all_organs = summary.organs()
    organs = [organ for organ, _ in all_organs[:TOP_ORGANS]][::-1]
    figure = Figure(figsize=(8, 1.6 + 0.28 * max(len(organs), 3)), layout="constrained")
    axes = figure.subplots()
    left = [0] * len(organs)
    for status in STATUSES:
        counts = [summary.captions[organ, status] for organ in organs]
        axes.barh(organs, counts, left=left, color=COLOURS[status], label=status)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    axes.set_xlabel("captions")
    shown = f": the {TOP_ORGANS} organs of most, of {len(all_organs):,}" if len(all_organs) > TOP_ORGANS else ""
    axes.set_title(f"{summary.captions.total():,} captions from {summary.reports:,} reports{shown}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    kind = path.suffix.lower().lstrip(".")
    # Same counts, same file: no date, and no random ids in the SVG.
    with rc_context({"svg.hashsalt": "ovct"}), whole_file(path) as temporary:
        made_by = {"Date": None, "Creator": "ovct"} if kind == "svg" else {"Software": "ovct"}
        figure.savefig(temporary, format=kind, dpi=150, metadata=made_by)
