"""`python -m examples.real DATA`: from real CT with contours to masks by prompt, and what they come to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from curation.runtime.errors import Interrupted, OvctError
from curation.runtime.files import write_text
from curation.runtime.progress import TerminalProgress
from curation.runtime.terminal import say
from train.data.cases import DataSet
from train.data.dataset import open_dataset
from train.evaluation.results import EvaluationSummary

from .cohort import only_dataset, write_cohort
from .extra_questions import ask_extra_questions
from .stages import Seconds, evaluation_stage, of_third, run_stage, training_stages
from .table import table_lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all stages; return the exit code of the first that fails, 130 after Ctrl-C. A second call goes on."""
    options = _parse_options(arguments)
    try:
        _run(options.data, options.text, options.out, options.unseen, options.seed, options.third)
    except typer.Exit as error:
        return error.exit_code
    except (Interrupted, KeyboardInterrupt):
        say("stopped; the same command goes on", err=True)
        return Interrupted.exit_code
    except OvctError as error:
        say(f"error: {error}", err=True)
        return error.exit_code
    return 0


def _run(data: Path, text: str, out: Path, unseen: Sequence[Path], seed: int, third: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    cohort = write_cohort(only_dataset(data), out / "dataset", seed)
    seconds = Seconds(of_third(out / "seconds.json", third))
    for stage in training_stages(cohort.root, text, out, third):
        run_stage(stage, seconds)
    checkpoint, evaluation = of_third(out / "segment", third), of_third(out / "evaluation", third)
    _measure(cohort, checkpoint, evaluation, seconds)
    for folder in unseen:
        name = folder.resolve().name
        separate = Seconds(of_third(out / f"seconds-{name}.json", third))
        dataset = open_dataset(only_dataset(folder), labelled="present")
        _measure(dataset, checkpoint, evaluation.with_name(f"{evaluation.name}-{name}"), separate)


def _measure(dataset: DataSet, checkpoint: Path, out: Path, seconds: Seconds) -> None:
    """Evaluate a checkpoint on a data set, ask the extra questions, and print and store the table."""
    run_stage(evaluation_stage(dataset.root, checkpoint, out), seconds)
    summary = EvaluationSummary.model_validate_json((out / "summary.json").read_text(encoding="utf-8"))
    say("\nsides, and what no scan shows", err=True)
    with seconds.of("questions"), TerminalProgress("cases") as progress:
        answers = ask_extra_questions(dataset, checkpoint, out.with_name(f"{out.name}-answers.jsonl"), progress)
    table = [str(dataset.root), *table_lines(summary, answers), ", ".join(seconds.lines())]
    write_text(out.with_name(f"{out.name}.txt"), "\n".join(table) + "\n")
    say("\n" + "\n".join(table))


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.real",
        description="Train on three quarters of the patients of DATA and measure on the others: words, pretrain, "
        "segment, evaluate, about a quarter of an hour on two cores. DATA is a folder as nnU-Net has it, of "
        "head-and-neck CTs with contours of brainstem, spinal cord, parotid glands and the like. What is not "
        "contoured in a case is unknown there. DATA is read where it lies. Stopped, the same command goes on.",
    )
    parser.add_argument(
        "data",
        type=Path,
        metavar="DATA",
        help="nnU-Net raw data, such as Dataset501_OpenKBP, or a folder that holds one",
    )
    parser.add_argument("--text", required=True, help="text encoder: a folder in Hugging Face's layout, or a name")
    parser.add_argument("--out", type=Path, default=Path("runs/real"), help="folder of the run (default: runs/real)")
    parser.add_argument(
        "--unseen", type=Path, action="append", default=[], metavar="FOLDER",
        help="measure also on all patients of this folder, which is as DATA is (may be given several times)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="another seed, other patients held out (default: 0)")
    parser.add_argument(
        "--third", type=int, choices=(1, 2, 3), default=1,
        help="which third of the synonyms no training sees: three runs measure all of them (default: 1)",
    )  # fmt: skip
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
