"""Rewrites reports in ways that mean nothing, and in one thing, and counts the captions that change wrongly.

    python -m benchmarks.metamorphic                               everything, on all reports
    python -m benchmarks.metamorphic --share 0.1                   each on another tenth of the reports
    python -m benchmarks.metamorphic --only order,tense --show 5   the worst reports of each, with their captions

Captions are compared by organ and status, each as often as it comes: a share counts those that went and those that
came, of the captions before. After a change of one thing, captions of other sentences must stay word for word.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from .measure import Difference, Trial, differences
from .registry import CHANGES, REWRITES
from .sources import SOURCES, read_source


class Share(NamedTuple):
    """Of the captions of reports that a rewrite applied to, those that came or went wrongly."""

    reports: int
    captions: int
    wrong: int
    faults: int

    @property
    def percent(self) -> float:
        """The share in percent."""
        return 100 * self.wrong / max(1, self.captions)


def share_of(differences: Iterable[Difference]) -> Share:
    """Return the share of captions that came or went wrongly, over several reports."""
    rows = list(differences)
    return Share(
        len(rows),
        sum(row.captions for row in rows),
        sum(row.wrong for row in rows),
        sum(len(row.faults) for row in rows),
    )


def shares(rows: Sequence[Difference]) -> dict[str, dict[str, Share]]:
    """Return the shares by name and source, with "all" for all sources together."""
    by_name: dict[str, dict[str, list[Difference]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_name[row.name][row.source].append(row)
        by_name[row.name]["all"].append(row)
    return {name: {source: share_of(rows) for source, rows in by_source.items()} for name, by_source in by_name.items()}


def _table(figures: dict[str, dict[str, Share]], sources: Sequence[str]) -> Iterable[str]:
    columns = [*sources, "all"]
    heads = "".join(f"{source + ' %':>12s}" for source in columns)
    yield f"{'':28s}{'reports':>8s}{'captions':>9s}{heads}  evidence"
    for title, group in (("REWRITES THAT MEAN NOTHING", REWRITES), ("CHANGES OF ONE THING", CHANGES)):
        yield title
        for name in group:
            of = figures.get(name)
            if of is None:
                continue
            cells = "".join(f"{of[source].percent:12.2f}" if source in of else f"{'-':>12s}" for source in columns)
            faults = f"  {of['all'].faults} wrong" if of["all"].faults else ""
            yield f"  {name:26s}{of['all'].reports:8d}{of['all'].captions:9d}{cells}{faults}"


def _examples(rows: Sequence[Difference], most: int) -> Iterable[str]:
    worst = sorted((row for row in rows if row.wrong or row.faults), key=lambda row: -row.wrong)[:most]
    for row in worst:
        yield f"\n{row.name}, {row.source} {row.key}: {row.wrong} of {row.captions}"
        for sign, captions in (("-", row.gone), ("+", row.come), ("! evidence", row.faults)):
            yield from (f"    {sign} {caption}" for caption in captions[:6])


def _figures(figures: dict[str, dict[str, Share]]) -> dict[str, Any]:
    return {
        name: {source: {**share._asdict(), "percent": round(share.percent, 3)} for source, share in by_source.items()}
        for name, by_source in figures.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reports", type=float, default=1.0, help="share of the reports that are read")
    parser.add_argument("--share", type=float, default=1.0, help="share of these that each rewrite is tried on")
    parser.add_argument("--only", default="", help="names of rewrites, changes or kinds, with commas")
    parser.add_argument("--source", default=",".join(SOURCES), help="sources of reports, with commas")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the N worst reports of each")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    args = parser.parse_args()
    wanted = set(args.only.split(",")) if args.only else set()
    kinds = {name: rewrite.kind for name, rewrite in REWRITES.items()}
    names = tuple(
        name for name in (*REWRITES, *CHANGES) if not wanted or name in wanted or kinds.get(name, "changes") in wanted
    )
    sources = [source for source in args.source.split(",") if SOURCES[source].exists()]
    reports = chain.from_iterable(map(read_source, sources))
    rows = list(differences(reports, Trial(names, args.seed, args.reports, args.share), args.jobs))
    figures = shares(rows)
    if args.show:
        for name in names:
            print("\n".join(_examples([row for row in rows if row.name == name], args.show)))
    print("\n".join(_table(figures, sources)))
    if args.json:
        args.json.write_text(json.dumps(_figures(figures), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
