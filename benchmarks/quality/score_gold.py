"""Organs, statuses and coverage of the rules engine against reports that were read by hand (`gold.md`).

    python -m benchmarks.quality.score_gold                     both sets
    python -m benchmarks.quality.score_gold --set dev --show    with the statements that were read otherwise
    python -m benchmarks.quality.score_gold --naive             of a naive caption set, for scale

A caption belongs to the gold statement in which its evidence ends. Its organ is right if the gold names it for that
statement (or as an alternative); `related` also takes an organ that contains it or is a part of it.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from curation.engines.rules import RulesEngine
from curation.readers.sections import split_sections
from curation.report import Section
from curation.verification.verifier import Verifier
from prompts.vocabulary import Vocabulary, load_vocabulary

HERE = Path(__file__).resolve().parent
REPORTS = HERE.parents[2] / "shared/data/reports"


SENTENCE = re.compile(r"[^.;\n]+(?:\.\d[^.;\n]*)*")
NAIVE_NORMAL = re.compile(r"\b(?:no|not|without|normal|unremarkable|natural|intact|clear)\b", re.IGNORECASE)

Captions = Iterator[tuple[str, str, str, int]]


@dataclass
class Tally:
    """Counts over one set of texts."""

    captions: int = 0
    right: int = 0
    related: int = 0
    pairs: int = 0
    recalled: int = 0
    recalled_related: int = 0
    status_right: int = 0
    status_of: int = 0
    findings: int = 0
    covered: int = 0
    from_none: int = 0
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)


def read_texts() -> dict[tuple[str, str], str]:
    """Return the text of every report that the gold may name, by (source, key)."""
    texts: dict[tuple[str, str], str] = {}
    csv.field_size_limit(sys.maxsize)
    with (REPORTS / "ctrate_chest_ct.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            texts["ctrate_chest_ct.csv", row["AccessionNo"]] = row["report_text"]
    for line in (REPORTS / "mtsamples_ct.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        texts["mtsamples_ct.jsonl", str(record["sample_id"])] = record["text"]
    import openpyxl

    sheet = openpyxl.load_workbook(REPORTS / "kidney_ct/10_sample_input.xlsx", read_only=True).worksheets[0]
    header, *rows = sheet.iter_rows(values_only=True)
    for number, cells in enumerate(rows, 1):
        for name, cell in zip(header, cells, strict=True):
            texts["10_sample_input.xlsx", f"{number}:{name}"] = str(cell or "")
    return texts


def sections_of(source: str, text: str) -> tuple[Section, ...]:
    """Return the sections of a text, as the reader makes them."""
    return split_sections(text, "impression" if source.endswith("impression") else "findings")


def captions_of(verifier: Verifier, engine: RulesEngine, source: str, text: str) -> Captions:
    """Yield (organ, status, caption, end of evidence) of the accepted captions."""
    report = verifier.read(text, sections_of(source, text))
    for draft in engine.drafts(report):
        near = () if draft.statement is None else (draft.statement,)
        verdict = verifier.verify(report, draft.organ, draft.caption, near)
        if verdict.accepted and verdict.status:
            yield verdict.organ, verdict.status, draft.caption, verdict.end


def naive_captions(vocabulary: Vocabulary) -> Callable[[str, str], Captions]:
    """Return what makes a caption of each sentence for each organ whose name is in it, as a short script would."""
    names = {name.lower(): organ for organ, entry in vocabulary.organs.items() for name in entry.terms}
    name = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\b", re.IGNORECASE)

    def captions(source: str, text: str) -> Captions:
        for sentence in SENTENCE.finditer(text):
            status = "normal" if NAIVE_NORMAL.search(sentence[0]) else "abnormal"
            for organ in dict.fromkeys(names[found.lower()] for found in name.findall(sentence[0])):
                yield organ, status, sentence[0].strip(), sentence.end()

    return captions


def rules_captions() -> Callable[[str, str], Captions]:
    """Return what makes the captions of the rules engine."""
    verifier = Verifier()
    return partial(captions_of, verifier, RulesEngine(verifier))


def score(lines: list[dict[str, Any]], captions: Callable[[str, str], Captions], show: bool) -> Tally:
    """Count what captions say otherwise than the statements of texts as they were read."""
    vocabulary, texts, tally = load_vocabulary(), read_texts(), Tally()
    for line in lines:
        text = texts[line["source"], line["key"]]
        by_statement: dict[int, list[tuple[str, str, str]]] = {}
        for organ, status, caption, end in captions(line["source"], text):
            index = next((i for i, s in enumerate(line["statements"]) if s["start"] < end <= s["end"] + 2), None)
            if index is not None:
                by_statement.setdefault(index, []).append((organ, status, caption))
        for index, statement in enumerate(line["statements"]):
            notes = _statement(statement, by_statement.get(index, []), vocabulary, tally)
            if show and notes:
                print(f"\n{line['source']} {line['key']}: {text[statement['start'] : statement['end']]!r}")
                print("\n".join(f"    {note}" for note in notes))
    return tally


def _statement(
    statement: dict[str, Any], captions: list[tuple[str, str, str]], vocabulary: Vocabulary, tally: Tally
) -> list[str]:
    notes = []
    pairs = statement.get("organs") or []
    if statement["kind"] == "none":
        if "finding" not in str(statement.get("alt_kind", "")):
            tally.from_none += len(captions)
            notes = [f"CAPTION FROM NONE {organ} ({status}): {caption}" for organ, status, caption in captions]
        return notes
    strict_kind = not statement.get("alt_kind")
    if strict_kind:
        tally.findings += 1
        tally.covered += bool(captions)
    if strict_kind and not captions:
        notes.append(f"NOT COVERED {[(p['organ'], p['status']) for p in pairs]}")
    named = [(_names(pair, vocabulary), pair) for pair in pairs]

    def related(organ: str, name: str) -> bool:
        return name in vocabulary.organs and vocabulary.related(organ, name)

    for organ, status, caption in captions:
        tally.captions += 1
        exact = [pair for names, pair in named if organ in names]
        near = [pair for names, pair in named if any(related(organ, name) for name in names)]
        tally.right += bool(exact)
        tally.related += bool(near)
        if not exact:
            notes.append(f"{'near' if near else 'WRONG'} organ {organ} ({status}): {caption}")
        if exact or near:
            gold = {s for pair in exact or near for s in (pair["status"], *_listed(pair.get("alt_status")))}
            tally.status_of += 1
            tally.status_right += status in gold
            if status not in gold:
                tally.confusion["/".join(sorted(gold)), status] += 1
                notes.append(f"STATUS {organ}: {status}, gold {sorted(gold)}: {caption}")
    if strict_kind:
        for names, pair in named:
            tally.pairs += 1
            hit = any(organ in names for organ, *_ in captions)
            near_hit = any(related(organ, name) for organ, *_ in captions for name in names)
            tally.recalled += hit
            tally.recalled_related += near_hit
            if not hit:
                notes.append(f"{'near' if near_hit else 'MISSED'} {pair['organ']} ({pair['status']})")
    return notes


def _names(pair: dict[str, Any], vocabulary: Vocabulary) -> set[str]:
    names = [pair["organ"], *_listed(pair.get("alt"))]
    return {vocabulary.resolve(name) or name for name in names}


def _listed(value: Any) -> list[str]:
    return [] if not value else [value] if isinstance(value, str) else list(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--set", choices=["dev", "test", "both"], default="both")
    parser.add_argument("--show", action="store_true", help="print what was read otherwise (dev set only)")
    parser.add_argument("--naive", action="store_true", help="score one caption for each organ name of a sentence")
    args = parser.parse_args()
    captions = naive_captions(load_vocabulary()) if args.naive else rules_captions()
    for name in ("dev", "test") if args.set == "both" else (args.set,):
        path = HERE / f"gold_{name}.jsonl"
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        tally = score(lines, captions, args.show and name == "dev")
        print(f"\n{name}: {len(lines)} texts, {tally.findings} finding statements, {tally.pairs} organ pairs")
        for label, hits, of in (
            ("organ precision", tally.right, tally.captions),
            ("organ precision, related", tally.related, tally.captions),
            ("organ recall", tally.recalled, tally.pairs),
            ("organ recall, related", tally.recalled_related, tally.pairs),
            ("status", tally.status_right, tally.status_of),
            ("finding statements covered", tally.covered, tally.findings),
        ):
            print(f"  {label:28s} {hits / max(1, of):.3f}  ({hits} of {of})")
        print(f"  captions from statements without a finding: {tally.from_none}")
        print(f"  status confusions (gold, ours): {dict(tally.confusion)}")


if __name__ == "__main__":
    main()
