"""Measures the captions of language models from real reports with each prompt, and how many the verifier refuses.

    python -m benchmarks.quality.llm_prompts --engine vllm --model DIR --keep FOLDER
    python -m benchmarks.quality.llm_prompts --engine openai --base-url http://localhost:8000/v1

Runs `ovct curate` on 50 reports, evenly taken from a CT-RATE CSV, once with each shipped prompt, with `ovct`'s own
interpreter. Organs found are counted beside those that the rules engine finds in the same reports: an organ counts as
found where a caption is accepted for it, for a part of it or for what it is part of. Run again with the same --keep, it
goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from curation.caption import Reason
from curation.caption_set.stats import STATUSES
from prompts.prompt_file import shipped_prompts
from prompts.vocabulary import Vocabulary, load_vocabulary

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared/data/reports/ctrate_chest_ct.csv"


def write_sample(source: Path, path: Path, count: int) -> None:
    """Write `count` rows of a CSV, evenly spaced."""
    with source.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows[index * len(rows) // count] for index in range(count))


def curate(reports: Path, out: Path, arguments: list[str]) -> dict[str, object]:
    call = [sys.executable, str(ROOT / "ovct.py"), "curate", str(reports), "--out", str(out), *arguments]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    manifest: dict[str, object] = json.loads((out / "manifest.json").read_text())
    return manifest


def organs_of(out: Path) -> dict[str, set[str]]:
    """Return the organs with an accepted caption, by report."""
    organs: dict[str, set[str]] = defaultdict(set)
    for row in pq.read_table(out / "captions", columns=["report_id", "organ"]).to_pylist():
        organs[row["report_id"]].add(row["organ"])
    return organs


def recall(expected: dict[str, set[str]], predicted: dict[str, set[str]], vocabulary: Vocabulary) -> float:
    """Return the share of the expected organs of all reports that are predicted, or a part or a whole of them."""
    hits = total = 0
    for report, organs in expected.items():
        for organ in organs:
            total += 1
            hits += any(vocabulary.related(organ, predicted_organ) for predicted_organ in predicted.get(report, ()))
    return hits / total if total else 0.0


def row_of(name: str, out: Path, manifest: dict[str, object], expected: dict[str, set[str]]) -> list[str]:
    counts, usage = manifest["counts"], manifest["usage"]
    assert isinstance(counts, dict) and isinstance(usage, dict)
    reasons: dict[str, int] = counts["rejects"]
    accepted = sum(
        sum(by_status[status] for status in STATUSES if status in by_status)
        for by_status in counts["captions"].values()
    )
    refused = sum(count for reason, count in reasons.items() if reason != Reason.DUPLICATE)
    predicted = organs_of(out)
    worst = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1]))
    return [
        name,
        f"{sum(map(len, predicted.values())) / counts['reports']:.1f}",
        f"{recall(expected, predicted, load_vocabulary()):.0%}",
        f"{accepted + refused:,}",
        f"{accepted / (accepted + refused):.0%}" if accepted + refused else "-",
        worst,
        f"{usage['prompt_tokens']:,} / {usage['completion_tokens']:,}",
        f"{usage['tokens_per_second']:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reports", type=Path, default=REAL)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--prompts", nargs="+", default=list(shipped_prompts()))
    parser.add_argument("--keep", type=Path, required=True, help="folder for the caption sets")
    options, engine = parser.parse_known_args()
    if not options.reports.exists():
        raise SystemExit(f"no reports at {options.reports}")
    options.keep.mkdir(parents=True, exist_ok=True)
    reports = options.keep / "reports.csv"
    write_sample(options.reports, reports, options.count)
    curate(reports, options.keep / "rules", [])
    expected = organs_of(options.keep / "rules")
    heading = [
        "prompt",
        "organs/report",
        "of the rules'",
        "captions",
        "accepted",
        "refused",
        "tokens in / out",
        "out/s",
    ]
    print(" | ".join(heading))
    print(f"rules | {sum(map(len, expected.values())) / options.count:.1f} | 100%")
    for prompt in options.prompts:
        out = options.keep / prompt
        manifest = curate(reports, out, ["--prompt", prompt, *engine])
        print(" | ".join(row_of(prompt, out, manifest, expected)), flush=True)


if __name__ == "__main__":
    main()
