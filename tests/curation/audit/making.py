"""Caption sets with exactly the rows that a test wants, and a review's server as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.audit.dealing import deal
from curation.audit.drawing import Wanted
from curation.audit.folder import audit_to_write
from curation.audit.reviews import Reviews
from curation.audit.store import Store
from curation.caption import AcceptedCaption, OutcomeColumns, RefusedCaption, Status
from curation.caption_set.manifest import CurationSettings, InputFingerprint, Manifest
from curation.caption_set.writer import open_set
from curation.report import Report, Section
from curation.runtime.progress import Progress

ROOT = Path(__file__).resolve().parents[3]
Made = tuple[Report, Sequence[AcceptedCaption], Sequence[RefusedCaption]]


def settings(**changes: object) -> CurationSettings:
    known = {"ovct": "0", "engine": "fake", "vocabulary": "v", "lexicon": "l", "reports_per_part": 10_000}
    return CurationSettings.model_validate({**known, **changes})


def write_set(root: Path, rows: Iterable[Made], **changes: object) -> Manifest:
    """A finished caption set with these reports, captions and rejects."""
    source = InputFingerprint(name="reports.csv", files=1, bytes=1, sha256="0" * 64)
    with open_set(root, source, settings(**changes), ()) as captions:
        for report, accepted, refused in rows:
            captions.add(report, OutcomeColumns(columns(accepted), columns(refused)))
        captions.finish(0, 0, iter(()))
        return captions.manifest


def columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return list(map(list, zip(*rows, strict=True)))


def report(number: int, text: str) -> Report:
    return Report(f"scan-{number:04d}", text, (Section("findings", 0, len(text)),), {}, number + 1)


def accepted(
    text: str, evidence: str, organ: str, caption: str, status: Status = "normal", score: float = 100.0
) -> AcceptedCaption:
    start = text.index(evidence)
    return AcceptedCaption(organ, caption, status, start, start + len(evidence), "findings", score)


def plain(count: int, refused_each: int = 0) -> Iterator[Made]:
    """Reports with three captions each, and so many refused ones; no two texts are alike."""
    for number in range(count):
        text = f"The liver is normal. There is an {number + 2} mm cyst in the left kidney. The spleen may be enlarged."
        captions = [
            accepted(text, "The liver is normal.", "liver", "The liver is normal"),
            accepted(text, f"There is an {number + 2} mm cyst in the left kidney.", "left kidney",
                     f"{number + 2} mm cyst in the left kidney", "abnormal", 90.0 - number % 30),
            accepted(text, "The spleen may be enlarged.", "spleen", "Spleen may be enlarged", "uncertain", 95.0),
        ]  # fmt: skip
        kinds = [("negation", "the evidence denies it"), ("not_grounded", "no statement carries it")]
        refused = [
            RefusedCaption("spleen", f"Spleen is enlarged ({again})", *kinds[again % 2], "The spleen may be enlarged.")
            for again in range(refused_each)
        ]
        yield report(number, text), captions, refused


@contextmanager
def opened(root: Path, *names: str, wanted: Wanted | None = None, overlap: float | None = None) -> Iterator[Store]:
    """An audit with its sample drawn and dealt."""
    with audit_to_write(root, wanted or Wanted(), Progress()) as store:
        deal(store, names or ("ann",), overlap)
        yield store


def say_all(store: Store, name: str, verdicts: Iterable[str]) -> None:
    """One verdict after the other, in the order in which the reviewer sees the captions."""
    from curation.caption_set.audit_results import Verdict

    reviews = Reviews(store, name)
    for place, verdict in enumerate(verdicts, 1):
        item = reviews.item(place)
        reviews.say(item, reviews.said(item).event, Verdict(verdict))


@dataclass
class Served:
    """A running `ovct audit`: its process, and the link of each reviewer."""

    process: subprocess.Popen[str]
    links: list[str]

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> str:
        """As Ctrl-C would; what it has printed since."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=60)
        return said


@contextmanager
def served(root: Path, *options: str) -> Iterator[Served]:
    """`ovct audit ROOT` as a process of its own, on a free port."""
    command = [sys.executable, "-m", "ovct", "audit", str(root), "--port", "0", "--no-browser", *options]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=root.parent, env=surroundings, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        printed: list[str] = []
        while "Ctrl-C ends" not in "".join(printed[-1:]):
            line = process.stdout.readline()
            assert line, f"`ovct audit` ended: {''.join(printed)}"
            printed.append(line)
        yield Served(process, re.findall(r"http://\S+", "".join(printed)))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
