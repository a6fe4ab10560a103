"""Measures what the verifier accepts: captions made from real reports, each with a truth label.

    python -m benchmarks.quality.hallucinations                      all sources that are there, all kinds
    python -m benchmarks.quality.hallucinations --show side_flipped  failing captions of a kind
                                                                     (or all, faithful, hallucinated)
    python -m benchmarks.quality.hallucinations --json table.json    the table and every failing case as JSON
    python -m benchmarks.quality.hallucinations --set dev            hand-written captions (more files with --written)

A faithful caption should be accepted, a hallucinated one refused. The captions are made with a seed, from sentences cut
and checked by code of the benchmark's own (`captions`); one is left out where the report may say it elsewhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random

from benchmarks.quality.captions.borrowed import FOREIGN
from benchmarks.quality.captions.kinds import FAITHFUL, HALLUCINATED, Claim
from benchmarks.quality.captions.statements import Document, Statement, document
from curation.readers.reports import read_reports

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data/reports"
SOURCES = {
    "ctrate": SHARED / "ctrate_chest_ct.csv",
    "mtsamples": SHARED / "mtsamples_ct.jsonl",
    "kidney": SHARED / "kidney_ct/10_sample_input.xlsx",
    "examples": ROOT / "examples/reports.csv",
}
WRITTEN = ROOT / "benchmarks/quality/adversarial.jsonl"


@dataclass(frozen=True, slots=True)
class CaptionCase:
    """A caption with its truth label; `statement` is the sentence that it was made from.

    Where it is about a report that was changed, `instead` is what stands there in place of the statement.
    """

    source: str
    key: str
    organ: str
    caption: str
    kind: str
    faithful: bool
    statement: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verifier's answer to a case."""

    case: CaptionCase
    accepted: bool
    reason: str
    detail: str

    @property
    def right(self) -> bool:
        return self.accepted == self.case.faithful


def read_documents(source: str, path: Path) -> list[Document]:
    return [document(source, report.report_id, report.text, report.sections) for report in read_reports(path)]


def make_cases(documents: Sequence[Document], seed: int, per_kind: int) -> list[CaptionCase]:
    """Make at most `per_kind` captions of each kind and source, three of a kind from one report, and none twice."""
    FOREIGN[:] = [statement for doc in documents for statement in doc.statements]
    pools: dict[str, dict[str, tuple[Document, Statement]]] = defaultdict(dict)
    for doc in documents:
        for statement in doc.statements:
            pools[doc.source].setdefault(statement.text.lower(), (doc, statement))
    cases: list[CaptionCase] = []
    for faithful, table in ((True, FAITHFUL), (False, HALLUCINATED)):
        for name, kind in table.items():
            for source, pool in pools.items():
                rng = Random(f"{seed}-{name}-{source}")
                order = rng.sample(list(pool.values()), len(pool))
                candidates = ((doc, statement, kind(rng, doc, statement)) for doc, statement in order)
                cases += islice(usable_cases(name, faithful, candidates), per_kind)
    return cases


Candidates = Iterable[tuple[Document, Statement, Claim | None]]


def usable_cases(name: str, faithful: bool, candidates: Candidates) -> Iterator[CaptionCase]:
    """Yield cases of the captions that are new and, where they should be false, do not stand in the report."""
    seen: set[str] = set()
    by_report: Counter[str] = Counter()
    for doc, statement, claim in candidates:
        if claim is None or by_report[doc.key] >= 3 or (claim[1].lower() in seen and name != "filler"):
            continue
        organ, caption, *instead = claim
        if instead and doc.text.count(statement.text) != 1:
            continue
        words = " ".join(caption.lower().split()).rstrip(".")
        if faithful or instead or name in VERBATIM or words not in doc.flat:
            seen.add(caption.lower())
            by_report[doc.key] += 1
            yield CaptionCase(doc.source, doc.key, organ, caption, name, faithful, statement.text, *instead)


VERBATIM = {"organ_field_wrong", "organ_side_wrong", "negation_cut_off", "history_as_finding"}
"""Hallucinated kinds whose caption stands word for word in the report."""


def read_written(paths: Iterable[Path], part: str) -> Iterator[CaptionCase]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            if row["source"] not in SOURCES:
                raise SystemExit(f"{path}:{number}: source {row['source']!r} is none of {', '.join(SOURCES)}")
            if part in ("all", row["set"]):
                yield CaptionCase(
                    row["source"], str(row["key"]), row["organ"], row["caption"], row["kind"], row["faithful"]
                )


def judge(documents: Sequence[Document], cases: Iterable[CaptionCase]) -> list[Outcome]:
    from curation.verification.verifier import Verifier

    verifier = Verifier()
    by_report = defaultdict(list)
    for case in cases:
        by_report[case.source, case.key].append(case)
    outcomes = []
    for doc in documents:
        report_cases = by_report.pop((doc.source, doc.key), [])
        if not report_cases:
            continue
        parsed_report = verifier.read(doc.text, doc.sections)
        for case in report_cases:
            report = parsed_report
            if case.instead:
                changed = doc.with_statement(case.statement, case.instead)
                report = verifier.read(changed.text, changed.sections)
            verdict = verifier.verify(report, case.organ, case.caption)
            outcomes.append(Outcome(case, verdict.accepted, str(verdict.reason or ""), str(verdict.detail or "")))
    for source, key in by_report:
        print(f"no report {key!r} in {source}: {len(by_report[source, key])} captions left out", file=sys.stderr)
    return outcomes


def table_of(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    groups: dict[tuple[bool, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.case.faithful, outcome.case.kind].append(outcome)
        groups[outcome.case.faithful, "ALL"].append(outcome)
    rows: list[dict[str, object]] = []
    for (faithful, kind), group in sorted(
        groups.items(), key=lambda item: (not item[0][0], item[0][1] != "ALL", item[0][1])
    ):
        reasons = Counter(outcome.reason for outcome in group if outcome.reason)
        share = sum(outcome.accepted for outcome in group) / len(group)
        rows.append(
            {
                "kind": kind,
                "truth": "faithful" if faithful else "hallucinated",
                "n": len(group),
                "accepted": round(share, 4),
                "reasons": dict(reasons.most_common()),
            }
        )
    return rows


def print_table(rows: Sequence[dict[str, object]]) -> None:
    print(f"{'kind':<28}{'truth':<14}{'n':>6}  {'accepted':>8}  refused as")
    for row in rows:
        reasons = row["reasons"]
        named = (
            ", ".join(f"{name} {count}" for name, count in list(reasons.items())[:4])
            if isinstance(reasons, dict)
            else ""
        )
        print(f"{row['kind']:<28}{row['truth']:<14}{row['n']:>6}  {row['accepted']:>8.3f}  {named}")


def show(outcomes: Iterable[Outcome], kind: str) -> None:
    for outcome in outcomes:
        case = outcome.case
        selected = kind in ("all", case.kind, "faithful" if case.faithful else "hallucinated")
        if selected and not outcome.right:
            answer = "accepted" if outcome.accepted else f"refused: {outcome.reason} ({outcome.detail})"
            print(f"\n[{case.kind}] {case.source}/{case.key} {case.organ}: {case.caption}")
            print(f"   from: {case.instead or case.statement}\n   {answer}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", action="append", choices=list(SOURCES), help="only these; repeatable")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-kind", type=int, default=200, help="captions of each kind from each source at most")
    parser.add_argument(
        "--show", metavar="KIND", help="list the failing captions of a kind, or all / faithful / hallucinated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--set", dest="part", choices=["dev", "test", "all"], help="run hand-written captions instead")
    parser.add_argument(
        "--written", type=Path, action="append", metavar="JSONL", help=f"default {WRITTEN.name}; repeatable"
    )
    parser.add_argument("--dump", type=Path, metavar="JSONL", help="write the captions and do not verify them")
    args = parser.parse_args(argv)
    paths = {name: path for name, path in SOURCES.items() if path.exists() and name in (args.source or SOURCES)}
    documents = [doc for name, path in paths.items() for doc in read_documents(name, path)]
    if args.part:
        cases = list(read_written(args.written or [WRITTEN], args.part))
    else:
        cases = make_cases(documents, args.seed, args.per_kind)
    checksum = zlib.crc32("\n".join(f"{c.key}|{c.organ}|{c.caption}" for c in cases).encode())
    print(
        f"{len(documents)} reports of {', '.join(paths)}; {len(cases)} captions (seed {args.seed}, crc {checksum:08x})"
    )
    if args.dump:
        args.dump.write_text("".join(json.dumps(asdict(case)) + "\n" for case in cases), encoding="utf-8")
        return 0
    outcomes = judge(documents, cases)
    rows = table_of(outcomes)
    print_table(rows)
    if args.show:
        show(outcomes, args.show)
    if args.json:
        failing = [asdict(outcome) for outcome in outcomes if not outcome.right]
        args.json.write_text(json.dumps({"table": rows, "failing": failing}, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
