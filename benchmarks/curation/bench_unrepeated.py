"""Speed on real reports that do not repeat, cold and warm, beside another version of the project in the same run.

    python -m benchmarks.curation.bench_unrepeated                                      this version alone
    python -m benchmarks.curation.bench_unrepeated --beside ../old --named 6b64341      and a checkout of another
    python -m benchmarks.curation.bench_unrepeated --langextract-python VENV/bin/python and LangExtract's aligner

The reports are those of CT-RATE and MTSamples, each once. `engine` reads them and makes captions with the built-in
engine. Verification is of captions about reports that have been read, made from these reports with a seed
(`benchmarks.quality.hallucinations`): those that the built-in engine makes, faithful ones in other words, and wrong
ones. Cold is the first pass of a process, in which only what recurs among the reports is known; in a warm one all is.

Each pass is a process of its own, and those of the versions alternate; medians of the process time are compared.
LangExtract places the same captions in the same texts; its time is beside ours for reading and verifying them.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.hallucinations import SOURCES, make_cases, read_documents

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ("ctrate", "mtsamples")
PASS = ROOT / "benchmarks/curation/unrepeated_pass.py"
KINDS = ("engine", "own captions", "reworded", "wrong")
Pass = dict[str, Any]


def write_captions(path: Path, seed: int, per_kind: int, most: int) -> None:
    """Write captions with the text of their report: own, reworded and wrong ones."""
    from curation.engines.rules import RulesEngine

    engine = RulesEngine()
    with path.open("w", encoding="utf-8") as file:
        for source in REPORTS:
            documents = read_documents(source, SOURCES[source])[:most]
            by_key = {document.key: document for document in documents}
            for document in documents:
                for draft in engine.drafts(engine.verifier.read(document.text, document.sections)):
                    _write(file, "own captions", document.text, draft.organ, draft.caption)
            for case in make_cases(documents, seed, per_kind):
                document = by_key[case.key]
                text = document.with_statement(case.statement, case.instead).text if case.instead else document.text
                _write(file, "reworded" if case.faithful else "wrong", text, case.organ, case.caption)


def _write(file: Any, kind: str, text: str, organ: str, caption: str) -> None:
    file.write(json.dumps({"kind": kind, "text": text, "organ": organ, "caption": caption}) + "\n")


def write_for_langextract(captions: Path, path: Path) -> None:
    """Write the same captions by report, in the format that `langextract_align` takes."""
    by_text: dict[str, list[dict[str, str]]] = {}
    for line in captions.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        by_text.setdefault(row.pop("text"), []).append(row)
    rows = ({"Findings_EN": text, "captions": captions} for text, captions in by_text.items())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def one_pass(checkout: Path, captions: Path, most: int) -> Pass:
    """Run a pass with the project as it is in a checkout."""
    command = [sys.executable, str(PASS), str(captions), str(most), *(str(SOURCES[source]) for source in REPORTS)]
    return _last_line(command, {**os.environ, "PYTHONPATH": str(checkout)})


def _last_line(command: Sequence[str], environment: dict[str, str] | None = None) -> Pass:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    result: Pass = json.loads(done.stdout.splitlines()[-1])
    return result


def print_table(named: Sequence[tuple[str, Sequence[Pass]]]) -> None:
    """Print the milliseconds of a report or caption in each version, and how the last ones compare with the first."""
    first = named[0][1]
    heads = "".join(f"{name:>12}" for name, _ in named) + "".join(f"{f'of {name}':>14}" for name, _ in named[1:])
    print(f"{'ms of CPU for each':<42}{'n':>7}{heads}")
    for kind in KINDS:
        count = first[0]["reports"] if kind == "engine" else first[0][f"{kind} n"]
        for state in ("cold", "warm"):
            times = [statistics.median(run[f"{kind} {state}"] for run in runs) for _, runs in named]
            label = "report read and captioned" if kind == "engine" else f"caption verified: {kind}"
            values = "".join(f"{1000 * seconds / count:>12.3f}" for seconds in times)
            ratios = "".join(f"{times[0] / seconds:>14.2f}" for seconds in times[1:])
            print(f"{f'{label}, {state}':<42}{count:>7}{values}{ratios}")
    for name, runs in named:
        shares = ", ".join(f"{kind} {runs[0][f'{kind} accepted']:.3f}" for kind in KINDS[1:])
        print(f"accepted by {name}: {shares}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", type=Path, action="append", default=[], help="a checkout of another version")
    parser.add_argument("--named", action="append", default=[], help="its name in the table; the folder's by default")
    parser.add_argument("--langextract-python", type=Path, help="the Python of a venv with langextract")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--reports", type=int, default=1_000, help="reports of each source at most")
    parser.add_argument("--per-kind", type=int, default=40, help="captions of each kind and source")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if missing := [source for source in REPORTS if not SOURCES[source].exists()]:
        print(f"no reports: {', '.join(str(SOURCES[source]) for source in missing)}", file=sys.stderr)
        return 2
    names = ["this", *(name.name for name in args.beside)]
    names[1 : 1 + len(args.named)] = args.named
    checkouts = [ROOT, *(path.resolve() for path in args.beside)]
    passes: list[list[Pass]] = [[] for _ in checkouts]
    with tempfile.TemporaryDirectory() as folder:
        captions, theirs = Path(folder) / "captions.jsonl", Path(folder) / "langextract.jsonl"
        write_captions(captions, args.seed, args.per_kind, args.reports)
        for _ in range(args.passes):
            for checkout, runs in zip(checkouts, passes, strict=True):
                runs.append(one_pass(checkout, captions, args.reports))
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print_table(list(zip(names, passes, strict=True)))
        if args.langextract_python:
            write_for_langextract(captions, theirs)
            aligner = str(ROOT / "benchmarks/curation/langextract_align.py")
            print(f"LangExtract: {_last_line([str(args.langextract_python), aligner, str(theirs)])['cpu']:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
