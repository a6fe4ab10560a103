"""Builders for tests of the audit: caption sets, sampling frames, drawn audits, fake judges, and a running review."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.audit.folder import audit_to_write
from curation.audit.judge_case import JudgeCase
from curation.audit.reviewer import Reviewer
from curation.audit.sample import SampleRequest, assign_captions
from curation.audit.sampling_frame import SamplingFrame
from curation.audit.store import STORE_FILE, AuditStore
from curation.caption import AcceptedCaption, OutcomeColumns, RefusedCaption, Status
from curation.caption_set.audit_results import Verdict
from curation.caption_set.manifest import CurationSettings, InputFingerprint, Manifest
from curation.caption_set.writer import open_set
from curation.engines.chat import Answer, Chat, TooLong
from curation.report import Report, Section
from curation.runtime.progress import Progress
from tests.curation.fakes import FakeChat

ROOT = Path(__file__).resolve().parents[3]
ReportCaptions = tuple[Report, Sequence[AcceptedCaption], Sequence[RefusedCaption]]
"""A report with its accepted and its refused captions."""


def curation_settings(**changes: object) -> CurationSettings:
    values = {"ovct": "0", "engine": "fake", "vocabulary": "v", "lexicon": "l", "reports_per_part": 10_000}
    return CurationSettings.model_validate({**values, **changes})


def write_set(root: Path, rows: Iterable[ReportCaptions], **changes: object) -> Manifest:
    """Write a finished caption set with these reports, captions and rejects."""
    source = InputFingerprint(name="reports.csv", files=1, bytes=1, sha256="0" * 64)
    with open_set(root, source, curation_settings(**changes), ()) as writer:
        for report, captions, rejects in rows:
            writer.add(report, OutcomeColumns(columns(captions), columns(rejects)))
        writer.finish(0, 0, iter(()))
        return writer.manifest


def columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return list(map(list, zip(*rows, strict=True)))


def make_report(number: int, text: str) -> Report:
    return Report(f"scan-{number:04d}", text, (Section("findings", 0, len(text)),), {}, number + 1)


def accepted_caption(
    text: str, evidence: str, organ: str, caption: str, status: Status = "normal", score: float = 100.0
) -> AcceptedCaption:
    start = text.index(evidence)
    return AcceptedCaption(organ, caption, status, start, start + len(evidence), "findings", score)


def plain_reports(count: int, refused_each: int = 0) -> Iterator[ReportCaptions]:
    """Yield reports with three captions each, and so many refused ones; no two texts are alike."""
    for number in range(count):
        text = f"The liver is normal. There is an {number + 2} mm cyst in the left kidney. The spleen may be enlarged."
        captions = [
            accepted_caption(text, "The liver is normal.", "liver", "The liver is normal"),
            accepted_caption(text, f"There is an {number + 2} mm cyst in the left kidney.", "left kidney",
                             f"{number + 2} mm cyst in the left kidney", "abnormal", 90.0 - number % 30),
            accepted_caption(text, "The spleen may be enlarged.", "spleen", "Spleen may be enlarged", "uncertain",
                             95.0),
        ]  # fmt: skip
        kinds = [("negation", "the evidence denies it"), ("not_grounded", "no statement carries it")]
        rejects = [
            RefusedCaption("spleen", f"Spleen is enlarged ({copy})", *kinds[copy % 2], "The spleen may be enlarged.")
            for copy in range(refused_each)
        ]
        yield make_report(number, text), captions, rejects


@contextmanager
def open_audit(
    root: Path, *names: str, sample: SampleRequest | None = None, overlap: float | None = None
) -> Iterator[AuditStore]:
    """Open the audit of a set with its sample drawn and assigned to the reviewers."""
    with audit_to_write(root, sample or SampleRequest(), Progress()) as store:
        assign_captions(store, names or ("ann",), overlap)
        yield store


def give_verdicts(store: AuditStore, name: str, verdicts: Iterable[str]) -> None:
    """Save one verdict after the other, in the order in which the reviewer sees the captions."""
    reviewer = Reviewer(store, name)
    for place, verdict in enumerate(verdicts, 1):
        item = reviewer.item_at(place)
        reviewer.save_review(item, reviewer.review_of(item).event, Verdict(verdict))


STATUSES = ["abnormal", "normal", "uncertain"]


def frame_of(group: NDArray[np.int32], score: NDArray[np.float32], organ: NDArray[np.int32]) -> SamplingFrame:
    """Return a frame of one part with these statuses, scores and organs, as codes."""
    row = np.arange(len(group), dtype=np.int32)
    organs = [f"organ {number}" for number in range(int(organ.max(initial=0)) + 1)]
    return SamplingFrame("accepted", organs, STATUSES, organ, group, score, np.zeros_like(row), row)


@cache
def mixed_frame(size: int = 2_000) -> SamplingFrame:
    """Return a frame as real ones are: most captions of a few organs and with full score, some of rare kinds."""
    rng = np.random.default_rng(5)
    group = rng.choice(3, size, p=[0.6, 0.34, 0.06]).astype(np.int32)
    score = rng.choice([100, 95, 85, 75, 65], size, p=[0.7, 0.12, 0.1, 0.05, 0.03]).astype(np.float32)
    organ = rng.choice(8, size, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.07, 0.05, 0.03]).astype(np.int32)
    return frame_of(group, score, organ)


EVIDENCE = "A 6 mm nodule is seen in the left lung."
REPORT_TEXT = f"The liver is normal. {EVIDENCE} No pleural effusion."


def judge_case_of(
    key: int = 0, report: str = REPORT_TEXT, evidence: str = EVIDENCE, caption: str = "6 mm nodule"
) -> JudgeCase:
    start = report.find(evidence) if evidence else -1
    return JudgeCase(key, report, "left lung", caption, [(start, start + len(evidence))] if evidence else [])


def judge_answer(verdict: str = "supported", passage: str = EVIDENCE) -> str:
    return json.dumps({"passage": passage, "why": "It is there.", "verdict": verdict})


@dataclass
class FakeJudge(FakeChat):
    """A model of which ``room`` is how many characters of a chat fit; counts how many chats it works on at once."""

    room: int | None = None
    running: int = 0
    most_running: int = 0

    async def answer(self, chat: Chat) -> Answer:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            length = sum(len(turn.content) for turn in chat.messages)
            if self.room is not None and length > self.room:
                self.history.append(chat)
                raise TooLong(f"{length} characters, {self.room} fit")
            return await super().answer(chat)
        finally:
            self.running -= 1

    @property
    def questions(self) -> list[str]:
        return [chat.messages[-1].content for chat in self.history]


def judge_that_says(*queue: str | Answer | Exception, room: int | None = None) -> FakeJudge:
    """Return a model that gives one answer after the other, and the last of them again and again."""
    answers = deque(queue)

    def respond(message: str) -> str | Answer:
        answer = answers[0] if len(answers) == 1 else answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return FakeJudge(respond, room=room)


VOID_TAGS = {"meta", "br", "img", "link", "input", "hr"}


class HtmlPage(HTMLParser):
    """The words of a page, its tags, all attributes, and the tags that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@dataclass
class ReviewProcess:
    """A running `ovct audit`: its process, and the link of each reviewer."""

    process: subprocess.Popen[str]
    links: list[str]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> str:
        """End it as Ctrl-C would, and return what it has printed since its start."""
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=60)
        return output


def review_process(root: Path, *options: str) -> AbstractContextManager[ReviewProcess]:
    """Run `ovct audit ROOT` as a process of its own, on a free port."""
    return page_process("audit", root, *options)


@contextmanager
def page_process(name: str, root: Path, *options: str) -> Iterator[ReviewProcess]:
    """Run a command that shows a page of a set as a process of its own, on a free port."""
    command = [sys.executable, "-m", "ovct", name, str(root), "--port", "0", "--no-browser", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=root.parent, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        printed: list[str] = []
        while "Ctrl-C ends" not in "".join(printed[-1:]):
            line = process.stdout.readline()
            assert line, f"`ovct {name}` ended: {''.join(printed)}"
            printed.append(line)
        yield ReviewProcess(process, re.findall(r"http://\S+", "".join(printed)))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def saved_verdicts(root: Path) -> dict[str, list[str]]:
    """Return what is on disk, by reviewer, in the order of the sample."""
    with closing(sqlite3.connect(root / "audit" / STORE_FILE)) as connection:
        rows = connection.execute(
            """SELECT name, review.verdict FROM review JOIN reviewer ON reviewer.id = review.reviewer
            JOIN event ON event.id = review.event WHERE review.verdict IS NOT NULL ORDER BY event.item"""
        ).fetchall()
    verdicts: dict[str, list[str]] = {}
    for name, verdict in rows:
        verdicts.setdefault(name, []).append(verdict)
    return verdicts
