"""A review of a million captions, beside one of the example set: time to open and to move on, memory.

    python -m benchmarks.curation.bench_audit  a million captions, of which 100 are drawn, some minutes
    python -m benchmarks.curation.bench_audit --sample 1000000       all of them are to be reviewed
    python -m benchmarks.curation.bench_audit --captions 100000

The sets are made of the captions that the rules make of the example reports, each report many times under other ids.
The server is `ovct audit` as a process of its own. `open` is what a browser waits for before it shows a caption (page,
script, style, session, caption), `move` a verdict saved to disk, the next caption found and fetched; `page` is the time
from a key's press to the next caption on the screen of a headless Chromium, where there is one. Memory is the
server's peak resident size, drawing the sample included. The ratio is against the example set in the same run.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq

from curation.audit.server import ASSETS
from curation.caption import AcceptedCaption
from curation.extraction.text_engine import rules_recipe
from curation.pipeline import CurateJob, curate
from curation.report import Report, Section
from tests.curation.audit.builders import ReportCaptions, ReviewProcess, review_process, write_set

ROOT = Path(__file__).resolve().parents[2]
MOVES = 200
PAGE_MOVES = 40


def copies(examples: Path, count: int) -> Iterator[ReportCaptions]:
    """Yield the example reports with their captions, again and again until there are ``count`` captions."""
    reports = pq.read_table(examples / "reports").to_pylist()
    by_report = defaultdict(list)
    for row in pq.read_table(examples / "captions").to_pylist():
        by_report[row["report_id"]].append(AcceptedCaption(*(row[name] for name in (
            "organ", "caption", "status", "evidence_start", "evidence_end", "section", "score"))))  # fmt: skip
    captions_so_far = number = 0
    while captions_so_far < count:
        row = reports[number % len(reports)]
        sections = tuple(Section(section["name"], section["start"], section["end"]) for section in row["sections"])
        captions = by_report[row["report_id"]]
        yield Report(f"{row['report_id']}-{number}", row["text"], sections, {}, number + 1), captions, []
        captions_so_far, number = captions_so_far + len(captions), number + 1


WATCHED = """() => {
    const before = location.hash;
    window.shown = new Promise((done) => document.addEventListener("keydown", () => {
        const start = performance.now();
        const look = () => location.hash !== before ? done(performance.now() - start) : requestAnimationFrame(look);
        look();
    }, { once: true, capture: true }));
}"""
"""A promise of the milliseconds from the next key to another caption on the screen."""


class Browser:
    """Sends the requests that the page sends, in its order."""

    def __init__(self, link: str) -> None:
        self.base = link.partition("?")[0]
        self.origin = re.match(r"http://[^/]+", link)[0]  # type: ignore[index]
        self.client = httpx.Client(headers={"Origin": self.origin})
        self.link = link

    def open(self) -> Any:
        self.client.get(self.link).raise_for_status()
        for asset in ASSETS:
            self.client.get(f"{self.origin}/{asset}").raise_for_status()
        session = self.get("session")
        return self.get(f"item/{session['place']}")

    def get(self, path: str) -> Any:
        return self.client.get(f"{self.base}api/{path}").raise_for_status().json()

    def move(self, item: dict[str, Any]) -> Any:
        body = {"place": item["place"], "last_event": item["review"]["event"], "verdict": "supported"}
        self.client.post(f"{self.base}api/review", json=body).raise_for_status()
        next_item = self.get(f"find?place={item['place']}&step=1&verdict=none")
        return self.get(f"item/{next_item['place'] or 1}")


def milliseconds(work: Any, *arguments: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work(*arguments)
    return 1000 * (time.perf_counter() - start), result


def peak_megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def page_moves(link: str) -> list[float]:
    """Milliseconds from a key's press to the next caption; empty where there is no browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return []
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(link)
        page.wait_for_selector("#text mark")
        times = []
        for _ in range(PAGE_MOVES):
            page.evaluate(WATCHED)
            page.keyboard.press("s")
            times.append(page.evaluate("window.shown"))
            page.wait_for_timeout(30)  # the page takes one verdict at a time
        browser.close()
    return times


def measure(root: Path, sample: int) -> dict[str, float]:
    start = time.perf_counter()
    with review_process(root, "--sample", str(sample)) as server:
        ready = time.perf_counter() - start
        return {"ready": ready, **_review(server)}


def _review(server: ReviewProcess) -> dict[str, float]:
    browser = Browser(server.links[0])
    opened, item = milliseconds(browser.open)
    moves = []
    for _ in range(min(MOVES, item["total"] - PAGE_MOVES - 1)):
        spent, item = milliseconds(browser.move, item)
        moves.append(spent)
    pages = page_moves(server.links[0])
    return {
        "open": opened,
        "move": statistics.median(moves),
        "move95": sorted(moves)[int(0.95 * len(moves))],
        "movemax": max(moves),
        "page": statistics.median(pages) if pages else float("nan"),
        "pagemax": max(pages, default=float("nan")),
        "memory": peak_megabytes(server.process.pid),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--captions", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small"), Path(folder, "large")
        curate(CurateJob(ROOT / "examples/reports.csv", small), rules_recipe())
        write_set(large, copies(small, args.captions))
        sets = {"example set": small, f"{args.captions:,} captions": large}
        rows = {name: measure(root, args.sample) for name, root in sets.items()}
    print(f"sample of {args.sample:,}; milliseconds, but for `ready` (seconds until the link is printed) and memory")
    names = ("ready", "open", "move", "move95", "movemax", "page", "pagemax", "memory")
    print(f"{'':20}" + "".join(f"{name:>9}" for name in (*names[:-1], "peak MB")))
    for name, row in rows.items():
        print(f"{name:20}" + "".join(f"{row[column]:9.1f}" for column in names))
    small_set, large_set = rows.values()
    print(f"{'ratio':20}" + "".join(f"{large_set[column] / small_set[column]:9.1f}" for column in names))


if __name__ == "__main__":
    main()
