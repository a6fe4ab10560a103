"""The 18 CT-RATE abnormality labels, derived from captions by a stated rule and scored against the human labels.

    python -m benchmarks.ctrate_labels                      curate the reports, derive the labels, print the table
    python -m benchmarks.ctrate_labels --captions DIR       the same from a caption set on disk
    python -m benchmarks.ctrate_labels --show "Atelectasis" the reports of a label that were read otherwise

A label is positive where a caption filed under one of its organs affirms one of its terms. Nothing but the captions is
looked at: neither the report's text nor a caption's evidence. The terms follow the label names of the data set; they
were written on the reports whose row number is even, and the odd half is printed beside as the figure to quote.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from curation.assertion import assess
from prompts.vocabulary import Vocabulary, load_vocabulary

from .ctrate_rules import GONE, RULES, Rule, Way

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT.parent / "shared/data/reports/ctrate_chest_ct.csv"


class Labeller:
    """Labels of one report from its captions."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.within = {way: self._within(way.organs) for rule in RULES for way in rule.ways}

    def _within(self, organs: str) -> frozenset[str]:
        """Canonical names of the organs in a list such as "heart, -coronary arteries", with all their parts."""
        names = [name.strip() for name in organs.split(",") if name.strip()]
        found = set() if any(not name.startswith("-") for name in names) else set(self.vocabulary.organs)
        for name in names:
            bare = name.lstrip("-=")
            canonical = self.vocabulary.resolve(bare)
            if canonical is None:
                raise ValueError(f"“{bare}” is not in the vocabulary")
            below = {canonical} if "=" in name else {canonical, *self.vocabulary.descendants(canonical)}
            found = found - below if name.startswith("-") else found | below
        return frozenset(found)

    def labels(self, captions: Iterable[tuple[str, str]]) -> set[str]:
        """Positive labels of (organ, caption) pairs."""
        found: set[str] = set()
        for organ, caption in captions:
            claim = _claim(organ, caption)
            for rule in RULES:
                if rule.label not in found and any(self._carries(way, organ, claim) for way in rule.ways):
                    found.add(rule.label)
        return found

    def carrying(self, rule: Rule, organ: str, caption: str) -> bool:
        """Whether one caption carries a label."""
        return any(self._carries(way, organ, _claim(organ, caption)) for way in rule.ways)

    def _carries(self, way: Way, organ: str, claim: str) -> bool:
        if organ not in self.within[way] or GONE.search(claim) or (way.unless and way.unless.search(claim)):
            return False
        wanted = ("affirmed",) if way.sure else ("affirmed", "possible")
        return any(assess(claim, match.start(), match.end()) in wanted for match in way.terms.finditer(claim))


def _claim(organ: str, caption: str) -> str:
    """The caption without the organ's name that an engine may have put before it as a heading."""
    heading, colon, rest = caption.partition(":")
    return rest.strip() if colon and heading.strip().lower() == organ.lower() else caption


def curated(path: Path) -> Iterator[tuple[str, str, str]]:
    """(report_id, organ, caption) of the accepted captions of the rules engine."""
    from curation.engines.rules import RulesEngine
    from curation.reports import read_reports
    from curation.verify import Verifier

    verifier = Verifier()
    engine = RulesEngine(verifier)
    for report in read_reports(path):
        read = verifier.read(report.text, report.sections)
        for draft in engine.drafts(read):
            if verifier.verify(read, draft.organ, draft.caption).accepted:
                yield report.report_id, draft.organ, draft.caption


def from_set(directory: Path) -> Iterator[tuple[str, str, str]]:
    """(report_id, organ, caption) of a caption set on disk."""
    import pyarrow.parquet as pq

    for part in sorted((directory / "captions").glob("*.parquet")):
        for row in pq.read_table(part, columns=["report_id", "organ", "caption"]).to_pylist():
            yield row["report_id"], row["organ"], row["caption"]


def f1(
    gold: Mapping[str, set[str]], found: Mapping[str, set[str]], label: str, keys: Iterable[str]
) -> tuple[float, ...]:
    """Precision, recall, F1 and number of positives."""
    keys = list(keys)
    hit = sum(label in gold[key] and label in found.get(key, ()) for key in keys)
    positive = sum(label in gold[key] for key in keys)
    claimed = sum(label in found.get(key, ()) for key in keys)
    precision, recall = hit / claimed if claimed else 0.0, hit / positive if positive else 0.0
    return precision, recall, 2 * hit / (positive + claimed) if positive + claimed else 1.0, positive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=Path, help="a caption set; without it the reports are curated here")
    parser.add_argument("--show", help="print the reports of this label that were read otherwise")
    parser.add_argument("--half", choices=["even", "odd", "all"], default="even", help="whose errors --show prints")
    args = parser.parse_args()
    csv.field_size_limit(sys.maxsize)
    rows = list(csv.DictReader(REPORTS.open(encoding="utf-8")))
    gold = {row["AccessionNo"]: {rule.label for rule in RULES if row[rule.label] == "1"} for row in rows}
    halves = {"even": [r["AccessionNo"] for r in rows[::2]], "odd": [r["AccessionNo"] for r in rows[1::2]]}
    halves["all"] = [r["AccessionNo"] for r in rows]
    captions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, organ, caption in from_set(args.captions) if args.captions else curated(REPORTS):
        captions[key].append((organ, caption))
    labeller = Labeller(load_vocabulary())
    found = {key: labeller.labels(of) for key, of in captions.items()}
    print(f"{'label':32s} {'n':>5s} {'P':>6s} {'R':>6s} {'F1':>6s} {'F1 even':>8s} {'F1 odd':>7s}")
    sums = [0.0, 0.0, 0.0]
    for rule in RULES:
        scores = {name: f1(gold, found, rule.label, keys) for name, keys in halves.items()}
        precision, recall, score, positive = scores["all"]
        print(
            f"{rule.label:32s} {positive:5.0f} {precision:6.3f} {recall:6.3f} {score:6.3f} "
            f"{scores['even'][2]:8.3f} {scores['odd'][2]:7.3f}"
        )
        sums = [a + b for a, b in zip(sums, (score, scores["even"][2], scores["odd"][2]), strict=True)]
    print(f"{'macro-F1':32s} {'':5s} {'':6s} {'':6s} {sums[0] / 18:6.3f} {sums[1] / 18:8.3f} {sums[2] / 18:7.3f}")
    if args.show:
        _show(args.show, rows, gold, found, captions, set(halves[args.half]))


def _show(
    label: str,
    rows: list[dict[str, str]],
    gold: Mapping[str, set[str]],
    found: Mapping[str, set[str]],
    captions: Mapping[str, list[tuple[str, str]]],
    keys: set[str],
) -> None:
    rule = next(rule for rule in RULES if rule.label.lower() == label.lower())
    for row in rows:
        key = row["AccessionNo"]
        if key not in keys or (rule.label in gold[key]) == (rule.label in found.get(key, ())):
            continue
        kind = "MISSED" if rule.label in gold[key] else "INVENTED"
        print(f"\n{kind} {key}")
        if kind == "MISSED":
            print("   text:", row["report_text"])
        for organ, caption in captions[key]:
            if any(way.terms.search(caption) for way in rule.ways):
                print(f"   {organ}: {caption}")


if __name__ == "__main__":
    main()
