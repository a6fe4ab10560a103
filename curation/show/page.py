"""The page of `ovct show`: its files, what it is told of the set, and the page as one file with reports in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from curation.report_page.assets import SHARED_SCRIPTS, SHARED_STYLES, static_texts
from curation.report_page.organ_systems import SYSTEMS
from curation.runtime.files import PRIVATE_FILE, write_text
from curation.runtime.local_server.page_files import PageFiles

from .filters import REFUSED
from .set_reports import SetReports

OWN_SCRIPTS, OWN_STYLES = ("source.js", "filter.js", "show.js"), ("show.css",)
PAGE, CONTENT = "index.html", "content"


@cache
def page_files() -> PageFiles:
    """Return the files of the page; those that the review has too come first."""
    shared, own = "curation.report_page", "curation.show"
    return PageFiles(
        static_texts(own, (PAGE,))[PAGE],
        static_texts(shared, SHARED_STYLES) | static_texts(own, OWN_STYLES),
        static_texts(shared, SHARED_SCRIPTS) | static_texts(own, OWN_SCRIPTS),
        modules=True,
    )


def session(reports: SetReports) -> dict[str, Any]:
    """Return what the page is told of a whole set, or of named reports: counts by organ and status, and notices."""
    if reports.are_named:
        return _session(reports, *_counted(reports.first_views(reports.total)), [])
    counts = reports.manifest.counts
    statuses = Counter[str]()
    for by_status in counts.captions.values():
        statuses.update(by_status)
    statuses[REFUSED] = sum(counts.rejects.values())
    organs = Counter({organ: sum(by_status.values()) for organ, by_status in counts.captions.items()})
    return _session(reports, organs, statuses, [])


def _counted(views: Iterable[dict[str, Any]]) -> tuple[Counter[str], Counter[str]]:
    """Return how many accepted captions of some reports each organ has, and how many captions each status."""
    organs, statuses = Counter[str](), Counter[str]()
    for view in views:
        for caption in view["captions"]:
            statuses[caption.get("status", REFUSED)] += 1
            organs[caption["organ"]] += caption["kind"] == "accepted"
    return +organs, statuses


def _session(
    reports: SetReports, organs: Mapping[str, int], statuses: Mapping[str, int], notices: Iterable[str]
) -> dict[str, Any]:
    listed = sorted(organs.items(), key=lambda item: (-item[1], item[0]))
    unfinished = (
        [] if reports.manifest.complete else ["The set is unfinished: these are the reports of its finished parts."]
    )
    return {
        "set": reports.root.resolve().name,
        "total": reports.total,
        "systems": SYSTEMS,
        "organs": [{"organ": organ, "system": reports.system_of(organ), "captions": count} for organ, count in listed],
        "statuses": statuses,
        "notices": [*unfinished, *notices],
    }


def write_page(path: Path, reports: SetReports, most: int) -> int:
    """Write a page with the first ``most`` reports in it, readable by the user alone; return how many they are."""
    views = reports.first_views(most)
    write_text(path, whole_page(reports, views), PRIVATE_FILE)
    return len(views)


def whole_page(reports: SetReports, views: list[dict[str, Any]]) -> str:
    """Return the page as one HTML document with these reports, which loads nothing."""
    organs, statuses = _counted(views)
    left = reports.total - len(views)
    notices = [f"The first {len(views):,} of {reports.total:,} reports."] if left else []
    about = _session(reports, organs, statuses, notices) | {"total": len(views)}
    return page_files().whole(
        {CONTENT: json.dumps({"about": about, "reports": views}, ensure_ascii=False)}, "img-src data:; "
    )
