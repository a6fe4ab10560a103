"""Agreement of `curation.language.assertion.assess` with the 1,200 NegEx sentences, one condition each, read by people.

    python -m benchmarks.quality.negex                       the table
    python -m benchmarks.quality.negex --show affirmed       the sentences of that gold label that were read otherwise
    python -m benchmarks.quality.negex --unlocated           the rows whose condition does not stand in its sentence

The file's header promises Negated / Affirmed / Possible, its rows hold only the first two: "rule out X", "concern for
X" and "possible X" are all labelled Affirmed there. So `possible` counts as agreement with Affirmed where the gold has
no Possible at all; the strict figure is printed beside it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LABELS = ("negated", "affirmed", "possible")
DEFAULT = Path(__file__).resolve().parents[3] / "shared/data/reports/negex_sentences.tsv"
Assess = Callable[[str, int, int], str]


@dataclass(frozen=True, slots=True)
class NegExRow:
    """A sentence; `complete` tells whether all of the condition stands in it (a few were cut in mid-condition)."""

    number: str
    condition: str
    sentence: str
    gold: str
    start: int
    end: int
    complete: bool


def spans(words: Sequence[str], sentence: str) -> list[re.Match[str]]:
    pattern = r"\s+".join(re.escape(word) for word in words)
    matches = list(re.finditer(rf"(?<!\w){pattern}(?!\w)", sentence, re.IGNORECASE))
    return matches or list(re.finditer(pattern, sentence, re.IGNORECASE))


def locate(condition: str, sentence: str) -> tuple[int, int, bool]:
    """Return the character span of the condition, and whether it is complete.

    Case and runs of blanks do not matter, a match in capitals is preferred. Where the sentence was cut inside the
    condition, the span is that of as many of its leading or trailing words as are there; the whole sentence where there
    are none.
    """
    words = condition.split()
    if matches := spans(words, sentence):
        best = next((match for match in matches if match.group().isupper()), matches[0])
        return best.start(), best.end(), True
    for count in range(len(words) - 1, 0, -1):
        for part in (words[:count], words[-count:]):
            if matches := spans(part, sentence):
                return matches[0].start(), matches[0].end(), False
    return 0, len(sentence), False


def read_rows(path: Path) -> list[NegExRow]:
    rows = []
    for line in path.read_text(encoding="latin-1").splitlines()[1:]:
        number, condition, sentence, gold = line.split("\t")[:4]
        condition = condition.strip().strip('"')
        rows.append(NegExRow(number, condition, sentence, gold.lower(), *locate(condition, sentence)))
    return rows


def agrees(gold: str, answer: str, has_possible: bool) -> bool:
    return answer == gold or (not has_possible and gold == "affirmed" and answer == "possible")


def print_table(rows: Sequence[NegExRow], answers: Sequence[str]) -> None:
    has_possible = any(row.gold == "possible" for row in rows)
    confusion = Counter(zip((row.gold for row in rows), answers, strict=True))
    lenient = sum(n for (gold, answer), n in confusion.items() if agrees(gold, answer, has_possible))
    strict = sum(n for (gold, answer), n in confusion.items() if gold == answer)
    print(f"{'gold':<10}" + "".join(f"{label:>10}" for label in LABELS) + f"{'agree':>8}{'n':>7}")
    for gold in LABELS:
        counts = [confusion[gold, answer] for answer in LABELS]
        if total := sum(n for (label, _), n in confusion.items() if label == gold):
            right = sum(
                n for (label, answer), n in confusion.items() if label == gold and agrees(gold, answer, has_possible)
            )
            print(f"{gold:<10}" + "".join(f"{count:>10}" for count in counts) + f"{right / total:>8.3f}{total:>7}")
    complete = [
        agrees(row.gold, answer, has_possible) for row, answer in zip(rows, answers, strict=True) if row.complete
    ]
    note = "" if has_possible else " (gold has no Possible: 'possible' agrees with Affirmed)"
    print(f"agreement {lenient / len(rows):.4f} of {len(rows)}{note}")
    print(f"strict    {strict / len(rows):.4f}")
    print(f"condition whole in its sentence: {sum(complete) / len(complete):.4f} of {len(complete)}")


def show(rows: Sequence[NegExRow], answers: Sequence[str], gold: str) -> None:
    has_possible = any(row.gold == "possible" for row in rows)
    for row, answer in zip(rows, answers, strict=True):
        if gold in ("all", row.gold) and not agrees(row.gold, answer, has_possible):
            marked = f"{row.sentence[: row.start]}[{row.sentence[row.start : row.end]}]{row.sentence[row.end :]}"
            print(f"{row.number:>5} {row.gold} -> {answer}: {' '.join(marked.split())}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT)
    parser.add_argument("--show", choices=["all", *LABELS], help="list the disagreements of one gold label")
    parser.add_argument("--unlocated", action="store_true", help="list the rows whose condition is not in the sentence")
    args = parser.parse_args(argv)
    if not args.data.exists():
        print(f"{args.data} is not there: name the file with --data", file=sys.stderr)
        return 2
    rows = read_rows(args.data)
    if args.unlocated:
        for row in rows:
            if not row.complete:
                span = row.sentence[row.start : row.end]
                print(f"{row.number:>5} {row.condition!r} in {row.sentence!r}: taken as {span!r}")
        return 0
    from curation.language.assertion import assess

    typed_assess: Assess = assess
    answers = [typed_assess(row.sentence, row.start, row.end) for row in rows]
    print_table(rows, answers)
    if args.show:
        show(rows, answers, args.show)
    return 0


if __name__ == "__main__":
    sys.exit(main())
