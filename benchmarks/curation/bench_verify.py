"""Speed of verification beside LangExtract's resolve and align, and what the verifier accepts of synthetic reports.

    python -m benchmarks.curation.bench_verify --langextract-python /path/to/venv/bin/python
    python -m benchmarks.curation.bench_verify                       ours alone
    python -m benchmarks.curation.bench_verify --input FILE.jsonl    other reports, in the format of gen_reports.py

Both get the same captions as JSON strings, made before the clock starts, one process and one thread each. A pass is a
process of its own (no cache is warm) and the passes of the two are interleaved; medians of three are compared. Ours
reads the report (statements, organs), parses the JSON and verifies each caption; LangExtract parses it and looks for
the place.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.report import Section

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT.parent / "shared/benchmarks/gen_reports.py"
FAITHFUL = {"exact", "light_edit", "compress"}
LEAST_KEPT, MOST_LET_THROUGH = 0.99, 0.01


def one_pass(path: Path) -> dict[str, Any]:
    """Verify every caption of the file once; seconds of wall and process time, and the share accepted by kind."""
    from curation.verification.verifier import Verifier

    reports = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    answers = [answer(report["captions"]) for report in reports]
    verifier = Verifier()
    verifier.verify(verifier.read("The spleen is normal.", [Section("findings", 0, 21)]), "spleen", "Normal spleen.")
    accepted = []
    wall, cpu = time.perf_counter(), time.process_time()
    for report, text in zip(reports, answers, strict=True):
        findings = report["Findings_EN"]
        read = verifier.read(findings, [Section("findings", 0, len(findings))])
        rows = json.loads(text)["captions"]
        accepted.append([verifier.verify(read, row["organ"], row["caption"]).accepted for row in rows])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for report, verdicts in zip(reports, accepted, strict=True):
        for caption, verdict in zip(report["captions"], verdicts, strict=True):
            by_kind[caption["kind"]].append(verdict)
    return {
        "wall": wall,
        "cpu": cpu,
        "accepted": {kind: sum(values) / len(values) for kind, values in by_kind.items()},
        "n": {kind: len(values) for kind, values in by_kind.items()},
        "reports": len(reports),
    }


def answer(captions: Sequence[dict[str, str]]) -> str:
    """What a model would answer, in the JSON that our engines ask for."""
    return json.dumps({"captions": [{"organ": c["organ"], "caption": c["caption"]} for c in captions]})


def show_failing(path: Path, limit: int) -> None:
    """List captions judged wrongly, `limit` of each kind."""
    from curation.verification.verifier import Verifier

    verifier = Verifier()
    shown: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        report = json.loads(line)
        findings = report["Findings_EN"]
        read = verifier.read(findings, [Section("findings", 0, len(findings))])
        for caption in report["captions"]:
            verdict = verifier.verify(read, caption["organ"], caption["caption"])
            if verdict.accepted != (caption["kind"] in FAITHFUL) and shown[caption["kind"]] < limit:
                shown[caption["kind"]] += 1
                result = "accepted" if verdict.accepted else f"{verdict.reason} ({verdict.detail})"
                print(f"[{caption['kind']}] {report['id']} {caption['organ']}: {caption['caption']}  -> {result}")


def child(*command: str | Path) -> dict[str, Any]:
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def print_speed(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> None:
    count = ours[0]["reports"]
    print(f"{'':<34}{'CPU s':>8}{'wall s':>8}{'reports/s by CPU':>18}   CPU s of each pass")
    for name, runs in (("ovct read + JSON + verify", ours), ("LangExtract resolve + align", theirs)):
        if runs:
            cpu, wall = (statistics.median(run[clock] for run in runs) for clock in ("cpu", "wall"))
            passes = " ".join(f"{run['cpu']:.2f}" for run in runs)
            print(f"{name:<34}{cpu:>8.2f}{wall:>8.2f}{count / cpu:>18,.0f}   {passes}")
    if theirs:
        for clock, name in (("cpu", "process time"), ("wall", "wall time")):
            ratio = statistics.median(r[clock] for r in theirs) / statistics.median(r[clock] for r in ours)
            print(f"ratio by {name}: {ratio:.1f}")


def print_accepted(ours: dict[str, Any], theirs: dict[str, Any] | None) -> None:
    print(f"\n{'kind':<12}{'truth':<14}{'n':>7}{'ours':>8}{'LangExtract':>13}   target")
    for kind in sorted(ours["n"], key=lambda kind: (kind not in FAITHFUL, kind)):
        share, faithful = ours["accepted"][kind], kind in FAITHFUL
        fine = share >= LEAST_KEPT if faithful else share <= MOST_LET_THROUGH
        target = f"{'>= ' if faithful else '<= '}{LEAST_KEPT if faithful else MOST_LET_THROUGH}"
        their_share = f"{theirs['accepted'][kind]:>13.4f}" if theirs else f"{'-':>13}"
        truth = "faithful" if faithful else "hallucinated"
        row = f"{kind:<12}{truth:<14}{ours['n'][kind]:>7}{share:>8.4f}{their_share}"
        print(f"{row}   {target} {'ok' if fine else 'MISSED'}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--langextract-python", type=Path, help="the Python of a venv with langextract 1.7.1")
    parser.add_argument("--reports", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--input", type=Path, help="JSONL in the format of gen_reports.py, in place of its output")
    parser.add_argument("--show", type=int, metavar="N", help="list N wrongly judged captions of each kind, no timing")
    parser.add_argument("--one-pass", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one_pass:
        print(json.dumps(one_pass(args.one_pass)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = args.input or Path(folder) / "bench_input.jsonl"
        if not args.input:
            if not GENERATOR.exists():
                print(f"{GENERATOR} is not there: give reports with --input", file=sys.stderr)
                return 2
            subprocess.run([sys.executable, GENERATOR, str(args.reports), str(args.seed), path], check=True)
        if args.show:
            show_failing(path, args.show)
            return 0
        ours, theirs = [], []
        for _ in range(args.passes):
            ours.append(child(sys.executable, "-m", "benchmarks.curation.bench_verify", "--one-pass", path))
            if args.langextract_python:
                theirs.append(child(args.langextract_python, ROOT / "benchmarks/curation/langextract_align.py", path))
    cores, load = os.cpu_count(), os.getloadavg()[0]
    captions = sum(ours[0]["n"].values())
    machine = f"Python {platform.python_version()}, {cores} cores, load {load:.1f}"
    print(f"{ours[0]['reports']} reports, {captions} captions; {machine}")
    print_speed(ours, theirs)
    print_accepted(ours[0], theirs[0] if theirs else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
