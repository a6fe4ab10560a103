"""One timed pass over real reports, each taken once; `bench_unrepeated` runs it with this version and with another.

    PYTHONPATH=CHECKOUT python unrepeated_pass.py captions.jsonl 200 reports.csv ...   one line of JSON: CPU seconds

The number is how many reports of each file are taken.

It uses only what versions of the project have in common. Process time is measured, without the collector of garbage:
objects stay, as they do in a run that keeps what it has analysed.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from curation.extraction.text_engine import Curator, rules_recipe
from curation.readers.reports import read_reports
from curation.report import Section
from curation.verification.verifier import Verifier

BATCH = 32
"""Reports that the engine gets at once, as in a run."""
FIRST_REPORT = "The spleen is normal. Il fegato è nella norma. La milza è nella norma. I reni sono nella norma."
"""Its languages make the identifier of languages load, which is no part of the time of a report."""


def main(captions: Path, most: int, sources: list[Path]) -> None:
    reports = [report for source in sources for report in islice(read_reports(source), most)]
    curator, verifier = Curator(rules_recipe()), Verifier()
    for reader in (curator._verifier, verifier):
        reader.verify(reader.read(FIRST_REPORT, ()), "spleen", "Normal spleen.")
    gc.collect()
    gc.freeze()
    gc.disable()

    def curate() -> None:
        for start in range(0, len(reports), BATCH):
            curator(reports[start : start + BATCH])

    result: dict[str, Any] = {"reports": len(reports), "engine cold": timed(curate), "engine warm": timed(curate)}
    by_kind: dict[str, list[dict[str, str]]] = defaultdict(list)
    for line in captions.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        by_kind[row["kind"]].append(row)
    for kind, rows in by_kind.items():
        read = {text: verifier.read(text, [Section("findings", 0, len(text))]) for text in {r["text"] for r in rows}}
        verdicts: list[bool] = []

        def verify(rows: list[dict[str, str]] = rows, read: dict[str, Any] = read, to: list[bool] = verdicts) -> None:
            to += [verifier.verify(read[row["text"]], row["organ"], row["caption"]).accepted for row in rows]

        result[f"{kind} cold"], result[f"{kind} warm"] = timed(verify), timed(verify)
        result[f"{kind} accepted"] = sum(verdicts[: len(rows)]) / len(rows)
        result[f"{kind} n"] = len(rows)
    print(json.dumps(result))


def timed(work: Callable[[], None]) -> float:
    """Return the process time of some work in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [Path(source) for source in sys.argv[3:]])
