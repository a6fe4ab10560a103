"""Measures what `--repair` saves: a scripted model that answers as told, and nothing else, gets refused captions back.

    python -m benchmarks.quality.repair CASES.jsonl [--show 20]

Each line of the file has ``report``, ``organ``, ``caption`` and ``accept``: whether a careful reader holds the caption
to be in the report. The scripted model sees only the message that a real one would see. It answers with passages that
are named there, word for word: the one that shares most words with the caption, and one that has words of it which the
first has not. It files each under the organ that the caption was about where the passage is about it, and else under
the first that the passage is about. It knows no labels.

A fact is kept where its caption is accepted, or what came of it is: then the passage says in the report's words what
the caption said in its own. ``beside the fact`` counts answers that have less than half of the caption's words
that are in the report at all: those were not about the same, and do not count as kept. Advice, limitations and earlier
examinations are no facts (``no finding``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curation.caption import OutcomeColumns
from curation.engines.chat import Answer, Chat
from curation.llm.answer_store import AnswerStore
from curation.llm.answer_verification import NOT_A_FINDING, AnsweredReport, AnswerVerifier, VerifiedReport
from curation.llm.chat_client import ChatClient
from curation.llm.dialogue import Dialogue
from curation.llm.responses import ModelResponse
from curation.llm.usage import UsageCounts, UsageMeter
from curation.readers.sections import split_sections
from curation.report import Report
from curation.verification.verifier import Verifier
from prompts.prompt_file import load_prompt

_FIRST_LINE = re.compile(r"^(?P<number>\d+)\. (?P<organ>[^:\n]+): (?P<caption>[^\n]*)\n   refused: ", re.MULTILINE)
_PASSAGE = re.compile(
    r"\n   (?:passage|or another passage): (?P<passage>.*?)"
    r"(?:\n   (?:it|which) is about: (?P<about>[^\n]*))?(?=\n   (?:it does|its other|or another)|\s*\Z)",
    re.DOTALL,
)


MOST_ANSWERS = 2
"""The most captions that one refused caption is put right by."""


class ObedientModel:
    """Answers a request for repairs as told: with the passage, filed under an organ that it is about."""

    name = "scripted"
    model = "obedient"
    in_flight = 1
    context: int | None = None

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat."""
        content = json.dumps({"captions": list(_captions(chat.messages[-1].content))})
        return Answer(content, "stop", sum(len(turn.content) for turn in chat.messages) // 4, len(content) // 4)

    async def close(self) -> None:
        """Do nothing."""


def _captions(message: str) -> Iterator[dict[str, str]]:
    """Yield the answer to each refused caption of a request, made of nothing but the request."""
    requests = message.partition("These are the captions to put right")[2]
    rows = list(_FIRST_LINE.finditer(requests))
    for row, end in zip(rows, [*(row.start() for row in rows[1:]), len(requests)], strict=True):
        passages = list(_PASSAGE.finditer(requests, row.end(), end))
        asked = _words(row["caption"])
        for _ in range(MOST_ANSWERS):
            nearest = max(passages, key=lambda match: len(_words(match["passage"]) & asked))
            if not _words(nearest["passage"]) & asked and asked != _words(row["caption"]):
                break
            about = (nearest["about"] or row["organ"]).split(", ")
            organ = row["organ"] if row["organ"] in about else about[0]
            yield {"organ": organ, "caption": " ".join(nearest["passage"].split())}
            asked -= _words(nearest["passage"])


class RepairRun:
    """Verifies captions one by one, each as the answer of a model about its report, with one round of repair."""

    def __init__(self) -> None:
        prompt = load_prompt("organ_captions_short")
        self._verifier = AnswerVerifier(prompt, True, Verifier())
        store = AnswerStore(Path(":memory:"), "benchmark")
        self.meter = UsageMeter(UsageCounts(), None, lambda counts: None, lambda line: None)
        self._dialogue = Dialogue(prompt, 1_000, ChatClient(ObedientModel(), store, self.meter))

    def before_and_after(self, case: dict[str, Any]) -> tuple[VerifiedReport, VerifiedReport, ModelResponse | None]:
        """Return a caption's verification without and with its repair, and the answer that the model gave."""
        text = case["report"]
        report = Report("a", text, split_sections(text), {}, 1)
        content = json.dumps({"captions": [{"organ": case["organ"], "caption": case["caption"]}]})
        rows = [ModelResponse("question", 0, 0, len(text), content, "stop", 0, 0, None)]
        (before,) = self._verifier([AnsweredReport(report, rows)])
        if not before.repairable:
            return before, before, None
        repairs = asyncio.run(self._dialogue.repair(before.repairable, 0))
        (after,) = self._verifier([AnsweredReport(report, [*rows, *repairs])])
        return before, after, repairs[0]


def _is_no_finding(verified: VerifiedReport) -> bool:
    """Tell whether a caption was refused as advice, a limitation or an earlier examination."""
    return any(row.detail == NOT_A_FINDING for row in OutcomeColumns.unpack(verified.packed).rows().refused)


def _accepted_text(verified: VerifiedReport) -> str:
    """Return the accepted captions as one text."""
    return " ".join(row.caption for row in OutcomeColumns.unpack(verified.packed).rows().accepted)


def _words(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[a-z0-9.]+", text.lower()) if len(word) > 2}


def is_about_the_same(case: dict[str, Any], answer: str) -> bool:
    """Tell whether an answer has at least half of the words of a caption that its report has at all."""
    in_report = _words(case["caption"]) & _words(case["report"])
    return len(in_report & _words(answer)) * 2 >= len(in_report)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", type=Path, nargs="+")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="first N faithful captions that stay lost")
    options = parser.parse_args()
    lines = [line for path in options.cases for line in path.read_text(encoding="utf-8").splitlines() if line]
    cases = [json.loads(line) for line in lines]
    run, counts, shown = RepairRun(), Counter[str](), 0
    for case in cases:
        before, after, response = run.before_and_after(case)
        kind = "faithful" if case["accept"] else "wrong"
        counts[kind] += 1
        if before.accepted:
            counts[f"{kind}, accepted"] += 1
        elif response is None:
            counts[f"{kind}, {'no finding' if _is_no_finding(before) else 'nothing to repair it by'}"] += 1
        elif after.accepted and is_about_the_same(case, _accepted_text(after)):
            counts[f"{kind}, put right"] += 1
        else:
            counts[f"{kind}, beside the fact" if after.accepted else f"{kind}, refused again"] += 1
        if case["accept"] and not before.accepted and not after.accepted and shown < options.show:
            shown += 1
            print(f"{case['organ']}: {case['caption']}\n   {(response.content if response else 'no passage') or ''}")
    for name, count in sorted(counts.items()):
        print(f"{name:40} {count:5}")
    kept = counts["faithful, accepted"] + counts["faithful, put right"]
    facts = counts["faithful"] - counts["faithful, no finding"]
    print(f"facts kept: {counts['faithful, accepted'] / facts:.3f} without repair, {kept / facts:.3f} with --repair 1")
    spent = run.meter.counts
    print(f"about {spent.prompt_tokens:,} tokens in and {spent.completion_tokens:,} out in {spent.repairs:,} chats")


if __name__ == "__main__":
    main()
