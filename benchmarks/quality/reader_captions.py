"""Measures what the verifier makes of captions worded by readers who had not seen it, on reports of their own.

    python -m benchmarks.quality.reader_captions                   by kind: faithful captions kept, wrong ones accepted
    python -m benchmarks.quality.reader_captions --set test        the half that no development has seen
    python -m benchmarks.quality.reader_captions --show KIND       the captions of a kind that went wrong (or all)
    python -m benchmarks.quality.reader_captions MORE.jsonl        captions of other readers, in the same form

`reader_captions.jsonl` has a line for each report, with its captions: `organ`, `caption`, whether its report says it
(`accept`), the `kind` of wording or of error, and the `set`: "dev" was looked at while the verifier was made, "test"
only counted, "second" comes from another reader, who tried to get wrong captions through.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.readers.sections import split_sections
from curation.verification.answers import Verification
from curation.verification.verifier import Verifier

CAPTIONS = Path(__file__).with_name("reader_captions.jsonl")


@dataclass(frozen=True, slots=True)
class ReaderCaption:
    """A caption with its report and what a reader says of it."""

    report: str
    organ: str
    caption: str
    accept: bool
    kind: str
    part: str


def read_captions(path: Path, part: str) -> Iterator[ReaderCaption]:
    """Yield the captions of a file, of one set or of all."""
    for line in path.read_text(encoding="utf-8").splitlines():
        report = json.loads(line)
        for row in report["captions"]:
            if part in ("all", row["set"]):
                yield ReaderCaption(
                    report["report"], row["organ"], row["caption"], row["accept"], row["kind"], row["set"]
                )


def verify(captions: Sequence[ReaderCaption]) -> list[Verification]:
    """Return the verifier's answer to each caption."""
    verifier = Verifier()
    return [
        verifier.verify(verifier.read(row.report, split_sections(row.report)), row.organ, row.caption)
        for row in captions
    ]


def print_table(captions: Sequence[ReaderCaption], answers: Sequence[Verification]) -> None:
    """Print the share that is accepted, by set and kind."""
    groups: defaultdict[tuple[str, bool, str], list[bool]] = defaultdict(list)
    for row, answer in zip(captions, answers, strict=True):
        for key in ((row.part, not row.accept, "ALL"), (row.part, not row.accept, row.kind)):
            groups[key].append(answer.accepted)
    print(f"{'set':<8}{'truth':<10}{'kind':<36}{'n':>5}  accepted")
    for (part, wrong, kind), group in sorted(groups.items(), key=lambda item: (item[0][:2], item[0][2] != "ALL", item)):
        truth = "wrong" if wrong else "faithful"
        print(f"{part:<8}{truth:<10}{kind:<36}{len(group):>5}  {sum(group) / len(group):.3f}")


def show(captions: Sequence[ReaderCaption], answers: Sequence[Verification], kind: str) -> None:
    """Print the captions that went wrong."""
    for row, answer in zip(captions, answers, strict=True):
        if answer.accepted != row.accept and kind in ("all", row.kind):
            outcome = "accepted" if answer.accepted else f"refused: {answer.reason} ({answer.detail})"
            print(f"\n[{row.part}, {row.kind}] {row.organ}: {row.caption}\n   {outcome}\n   {row.report!r}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=[CAPTIONS], help=f"default: {CAPTIONS.name}")
    parser.add_argument("--set", dest="part", choices=["dev", "test", "second", "all"], default="all")
    parser.add_argument("--show", metavar="KIND")
    args = parser.parse_args(argv)
    captions = [row for path in args.files for row in read_captions(path, args.part)]
    answers = verify(captions)
    print_table(captions, answers)
    if args.show:
        show(captions, answers, args.show)
    return 0


if __name__ == "__main__":
    sys.exit(main())
