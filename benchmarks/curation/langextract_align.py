"""One timed pass of LangExtract's resolve and align over a file of reports; `bench_verify` runs it in its own venv.

    python langextract_align.py reports.jsonl   one line of JSON: seconds of wall and process time, share placed by kind

It imports nothing of this project. The answers are JSON strings made before the clock starts; settings are defaults.
"""

from __future__ import annotations

import collections
import json
import logging
import sys
import time
import warnings
from importlib import metadata

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

from langextract import resolver  # type: ignore[import-not-found]  # noqa: E402
from langextract.core import data, format_handler  # type: ignore[import-not-found]  # noqa: E402


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        reports = [json.loads(line) for line in file]
    answers = [answer(report["captions"]) for report in reports]
    handler = format_handler.FormatHandler(
        format_type=data.FormatType.JSON,
        use_wrapper=True,
        wrapper_key="extractions",
        use_fences=False,
        attribute_suffix="_attributes",
    )
    aligner = resolver.Resolver(format_handler=handler)
    wall, cpu = time.perf_counter(), time.process_time()
    aligned = [
        list(aligner.align(aligner.resolve(text), report["Findings_EN"], 0, 0))
        for report, text in zip(reports, answers, strict=True)
    ]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    placed = collections.defaultdict(list)
    for report, found in zip(reports, aligned, strict=True):
        for caption, extraction in zip(report["captions"], found, strict=True):
            placed[caption["kind"]].append(extraction.char_interval is not None)
    shares = {kind: sum(values) / len(values) for kind, values in placed.items()}
    version = metadata.version("langextract")
    print(json.dumps({"wall": wall, "cpu": cpu, "accepted": shares, "version": version}))


def answer(captions: list[dict[str, str]]) -> str:
    """What a model would answer, in LangExtract's own JSON."""
    rows = [{c["organ"]: c["caption"], f"{c['organ']}_attributes": {}} for c in captions]
    return json.dumps({"extractions": rows})


if __name__ == "__main__":
    main(sys.argv[1])
