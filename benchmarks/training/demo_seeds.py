"""The figures of `make train-demo` over several seeds, from the evaluations that it leaves behind.

    for seed in 0 1 2; do make train-demo SEED=$seed DEMO=runs/demo$seed; done
    python -m benchmarks.training.demo_seeds runs/demo0 runs/demo1 runs/demo2

For each figure the mean over seeds, the lowest and the highest; behind it the interval of each seed over its test
phantoms. Shares are of the prompts of all seeds together.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from train.evaluation.bootstrap import BootstrapEstimate
from train.evaluation.questions import Kind
from train.evaluation.results import EvaluationSummary

DICE = {
    "names": "names",
    "names_of_synonyms": "names of the structures that have held-out synonyms",
    "synonyms": "held-out synonyms",
    "groups_trained": "trained groups",
    "groups_held_out": "held-out groups",
}
KINDS: tuple[Kind, ...] = ("name", "synonym", "nonsense")


def main() -> None:
    """Print the figures of the model alone, then those with the vocabulary's help."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demos", type=Path, nargs="+", help="folders of finished demos, one for each seed")
    demos = parser.parse_args().demos
    for folder, title in (("evaluation", "the model alone"), ("evaluation-vocabulary", "with the vocabulary")):
        files = [demo / folder / "summary.json" for demo in demos]
        if missing := [file for file in files if not file.exists()]:
            raise SystemExit(f"{missing[0]} is missing: `make train-demo` makes it")
        print(f"\n{title}, {len(files)} seeds")
        for line in lines([EvaluationSummary.model_validate_json(file.read_text(encoding="utf-8")) for file in files]):
            print(line, flush=True)


def lines(summaries: Sequence[EvaluationSummary]) -> Iterable[str]:
    """Yield a line for each figure."""
    for key, title in DICE.items():
        estimates = [mean.score.dice for summary in summaries for mean in summary.means if mean.key == key]
        if len(estimates) == len(summaries):
            yield f"{title}: {_over_seeds(estimates)}"
    for kind in KINDS:
        subjects = [subject for summary in summaries for subject in summary.subjects if subject.kind == kind]
        made_up, absent = (sum(getattr(subject, name) for subject in subjects) for name in ("false_masks", "absent"))
        missed, present = (sum(getattr(subject, name) for subject in subjects) for name in ("missed", "present"))
        yield f"{kind}: masks for what is absent {_share(made_up, absent)}"
        if present:
            yield f"{kind}: no mask for what is there {_share(missed, present)}"
        named = sorted({subject.name for subject in subjects if subject.false_masks})
        if named:
            yield f"    made up: {', '.join(named)}"


def _over_seeds(estimates: Sequence[BootstrapEstimate]) -> str:
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    intervals = ", ".join(f"{estimate.low or 0:.3f} to {estimate.high or 0:.3f}" for estimate in estimates)
    return f"{statistics.fmean(values):.3f} ({min(values):.3f} to {max(values):.3f}); by phantoms {intervals}"


def _share(hits: int, trials: int) -> str:
    return f"{hits} of {trials} ({hits / max(trials, 1):.1%})"


if __name__ == "__main__":
    main()
