"""The 18 CT-RATE abnormality labels, derived from captions by a stated rule and scored against the human labels.

    python -m benchmarks.quality.ctrate_labels  curate the reports, derive the labels, print the table
    python -m benchmarks.quality.ctrate_labels --captions DIR       the same from a caption set on disk
    python -m benchmarks.quality.ctrate_labels --show "Atelectasis" the reports of a label that were read otherwise

A label is positive where a caption filed under one of its organs affirms one of its terms (``ctrate_rules.py``).
Nothing but organ and caption is looked at: neither the report's text nor a caption's evidence. The rules were written
on every second report, from the first ("even"); the other half ("odd") is printed beside as the figure to quote.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.quality.ctrate_rules import ANY_WORD, GONE, RULES, CaptionPattern, Rule
from curation.language.assertion import assess
from prompts.vocabulary import Vocabulary, load_vocabulary

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT.parent / "shared/data/reports/ctrate_chest_ct.csv"
WEAK = 0.85
"""F1 below which a label is to be explained."""


class Labeller:
    """Derives the labels of a report from its captions."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.organs_of = {pattern: self._organs(pattern.organs) for rule in RULES for pattern in rule.patterns}

    def labels(self, captions: Iterable[tuple[str, str]]) -> set[str]:
        """Return the positive labels of (organ, caption) pairs."""
        return {rule.label for organ, caption in captions for rule in RULES if self.carries(rule, organ, caption)}

    def carries(self, rule: Rule, organ: str, caption: str) -> bool:
        """Return whether a caption carries the label of a rule."""
        organ = self.vocabulary.resolve(organ) or organ
        claim = _without_heading(organ, caption)
        return not GONE.search(claim) and any(self._affirms(pattern, organ, claim) for pattern in rule.patterns)

    def _affirms(self, pattern: CaptionPattern, organ: str, claim: str) -> bool:
        if organ not in self.organs_of[pattern] or (pattern.unless and pattern.unless.search(claim)):
            return False
        positive = ("affirmed",) if pattern.sure else ("affirmed", "possible")
        return any(assess(claim, match.start(), match.end()) in positive for match in pattern.terms.finditer(claim))

    def _organs(self, organ_list: str) -> frozenset[str]:
        """Return the canonical names in a list such as "heart, -coronary arteries" (see ``CaptionPattern``)."""
        names = [name.strip() for name in organ_list.split(",") if name.strip()]
        organs = set() if any(not name.startswith("-") for name in names) else set(self.vocabulary.organs)
        for name in names:
            organ = self.vocabulary.resolve(name.lstrip("-="))
            if organ is None:
                raise ValueError(f"“{name}” is not in the vocabulary")
            parts = {organ} if "=" in name else {organ, *self.vocabulary.descendants(organ)}
            organs = organs - parts if name.startswith("-") else organs | parts
        return frozenset(organs)


def _without_heading(organ: str, caption: str) -> str:
    """Return a caption without the organ's name that an engine has put before it ("Spleen: normal")."""
    heading, colon, rest = caption.partition(":")
    return rest.strip() if colon and heading.strip().lower() == organ.lower() else caption


def curated(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (report_id, organ, caption) of the accepted captions of the rules engine."""
    from curation.engines.rules import RulesEngine
    from curation.readers.reports import read_reports
    from curation.verification.verifier import Verifier

    verifier = Verifier()
    engine = RulesEngine(verifier)
    for report in read_reports(path):
        parsed_report = verifier.read(report.text, report.sections)
        for draft in engine.drafts(parsed_report):
            if verifier.verify(parsed_report, draft.organ, draft.caption).accepted:
                yield report.report_id, draft.organ, draft.caption


def from_set(directory: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (report_id, organ, caption) of a caption set on disk."""
    import pyarrow.parquet as pq

    for part in sorted((directory / "captions").glob("*.parquet")):
        for row in pq.read_table(part, columns=["report_id", "organ", "caption"]).to_pylist():
            yield row["report_id"], row["organ"], row["caption"]


class Score(NamedTuple):
    """Precision, recall, F1, and how many reports have the label."""

    precision: float
    recall: float
    f1: float
    positive: int


Labels = Mapping[str, Collection[str]]
"""The labels of each report, by its id."""
Captions = Mapping[str, list[tuple[str, str]]]
"""The (organ, caption) pairs of each report, by its id."""


def score(gold: Labels, derived: Labels, label: str, keys: Collection[str]) -> Score:
    """Compare the derived labels with the human ones, over the reports ``keys``."""
    hits = sum(label in gold[key] and label in derived.get(key, ()) for key in keys)
    positive = sum(label in gold[key] for key in keys)
    claimed = sum(label in derived.get(key, ()) for key in keys)
    f1 = 2 * hits / (positive + claimed) if positive + claimed else 1.0
    return Score(hits / claimed if claimed else 0.0, hits / positive if positive else 0.0, f1, positive)


def _print_table(gold: Labels, derived: Labels, parts: Mapping[str, Collection[str]]) -> None:
    print(f"{'label':36s} {'n':>5s} {'P':>6s} {'R':>6s} {'F1':>6s} {'F1 even':>8s} {'F1 odd':>7s}")
    table = {
        rule.label: {part: score(gold, derived, rule.label, keys) for part, keys in parts.items()} for rule in RULES
    }
    for label, scores in table.items():
        total, even, odd = scores["all"], scores["even"].f1, scores["odd"].f1
        print(
            f"{label:36s} {total.positive:5d} {total.precision:6.3f} {total.recall:6.3f} {total.f1:6.3f} "
            f"{even:8.3f} {odd:7.3f}"
        )
    macro = {part: sum(scores[part].f1 for scores in table.values()) / len(table) for part in parts}
    print(f"{'macro-F1':36s} {'':5s} {'':13s} {macro['all']:6.3f} {macro['even']:8.3f} {macro['odd']:7.3f}")
    weak = [label for label, scores in table.items() if scores["all"].f1 < WEAK]
    print(f"labels below {WEAK}: {', '.join(weak) or 'none'}")


def _print_errors(rule: Rule, texts: Mapping[str, str], gold: Labels, captions: Captions, labeller: Labeller) -> None:
    """Print each report labelled otherwise: what made it positive, or its text and the captions nearest to the rule."""
    print(f"\n{rule.label}: {rule.why}")
    for key, text in texts.items():
        carrying = [pair for pair in captions[key] if labeller.carries(rule, *pair)]
        if (rule.label in gold[key]) == bool(carrying):
            continue
        print(f"\n{'INVENTED' if carrying else 'MISSED'} {key}")
        if not carrying:
            print("   text:", text)
        patterns = [pattern for pattern in rule.patterns if pattern.terms.pattern != ANY_WORD]
        near = [pair for pair in captions[key] if any(pattern.terms.search(pair[1]) for pattern in patterns)]
        for organ, caption in carrying or near:
            print(f"   {organ}: {caption}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reports", type=Path, default=REPORTS, help="reports with a 0/1 column for each label")
    parser.add_argument("--captions", type=Path, help="a caption set; without it the reports are curated here")
    parser.add_argument("--show", choices=[rule.label for rule in RULES], metavar="LABEL", help="print its errors")
    parser.add_argument("--half", choices=["even", "odd", "all"], default="even", help="whose errors --show prints")
    args = parser.parse_args()
    if not args.reports.exists():
        print(f"{args.reports} is not there: name the file with --reports", file=sys.stderr)
        return 2
    csv.field_size_limit(sys.maxsize)
    with args.reports.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ids = [row["AccessionNo"] for row in rows]
    parts = {"all": ids, "even": ids[::2], "odd": ids[1::2]}
    gold = {row["AccessionNo"]: {rule.label for rule in RULES if row[rule.label] == "1"} for row in rows}
    captions: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, organ, caption in from_set(args.captions) if args.captions else curated(args.reports):
        captions[key].append((organ, caption))
    labeller = Labeller(load_vocabulary())
    _print_table(gold, {key: labeller.labels(of) for key, of in captions.items()}, parts)
    if args.show:
        rule = next(rule for rule in RULES if rule.label == args.show)
        texts = {row["AccessionNo"]: row["report_text"] for row in rows if row["AccessionNo"] in set(parts[args.half])}
        _print_errors(rule, texts, gold, captions, labeller)
    return 0


if __name__ == "__main__":
    sys.exit(main())
