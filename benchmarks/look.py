"""A random sample of captions, each beside its evidence, to read by eye (`docs/quality.md`).

python -m benchmarks.look captions --sample 100 --seed 1
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import pyarrow.parquet as pq


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("captions", type=Path, help="directory of a caption set")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    parts = sorted((args.captions / "captions").glob("*.parquet"))
    rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
    texts = {
        row["report_id"]: row["text"]
        for part in sorted((args.captions / "reports").glob("*.parquet"))
        for row in pq.read_table(part, columns=["report_id", "text"]).to_pylist()
    }
    for number, row in enumerate(random.Random(args.seed).sample(rows, min(args.sample, len(rows))), 1):
        text, start = texts[row["report_id"]], row["evidence_start"]
        head = f"{number}. {row['report_id']}  [{row['section']}]  {row['organ']}"
        print(f"\n{head}  {row['status']}  score {row['score']:.0f}")
        print(f"   caption   {row['caption']}")
        print(f"   evidence  {' '.join(row['evidence'].split())}")
        print(f"   before    …{' '.join(text[max(0, start - 200) : start].split())}")


if __name__ == "__main__":
    main()
