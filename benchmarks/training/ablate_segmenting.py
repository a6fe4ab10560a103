"""Stage 3 on phantoms, in variants: how prompts are drawn, the text encoder, the connector.

    python -m benchmarks.training.ablate_segmenting [--demo runs/demo] [--variants made_up groups ...] [--seeds 0 1 2]
        [--folds 3] [--text words=FOLDER] [--options "--steps 150"] [--limit 20] [--no-vocabulary]

`made_up`: as before groups were trained: all groups held out, 40 % of the prompts made up, no words for what is absent.
`groups`: as by default. `cross_attention`: the same with the other connector (the paper reports, on merged prompts of
TotalSegmentator, 61.1 % for the MLP and 43.4 % for cross-attention). All start from the demo's alignment, or with
`--text NAME=ENCODER` from its pretraining and that text encoder. Each but `made_up` is trained once for each fold of
the groups and each seed. Measured with `ovct evaluate` on the test phantoms, the model alone and with the vocabulary's
help: a held-out group counts in the fold in which it was held out, a trained one in all others; all else is the mean
over folds. With several seeds the range over seeds stands behind the mean. What is finished is not run again.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.training.demo_world import DemoWorld

MADE_UP = (
    "--hold-out", "all", "--merged", "0.4", "--groups", "0", "--near-negatives", "0", "--absent-words", "0",
    "--nonsense", "0",
)  # fmt: skip
VARIANTS: dict[str, tuple[str, ...]] = {
    "made_up": MADE_UP,
    "groups": (),
    "cross_attention": ("--connector", "cross_attention"),
}
COLUMNS = (
    "names", "names of syn.", "synonyms", "groups trained", "groups held out", "false masks", "… by synonym",
    "nonsense", "missed",
)  # fmt: skip


def main() -> None:
    """Print a line for each variant, the model alone and with the vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("runs/demo"))
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["made_up", "groups"])
    parser.add_argument("--text", nargs="+", default=["demo"], help="demo, or NAME=ENCODER")
    parser.add_argument("--options", default="", help='further options of train segment, as in "--steps 150"')
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=20, help="test phantoms")
    parser.add_argument("--vocabulary", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    print("| text, prompts |", " | ".join(COLUMNS), "|")
    print("| --- " * (len(COLUMNS) + 1) + "|")
    for text in options.text:
        for variant in options.variants:
            for vocabulary in (False, True) if options.vocabulary else (False,):
                rows = [measure(options, text, variant, seed, vocabulary) for seed in options.seeds]
                cells = [_cell([row[column] for row in rows]) for column in COLUMNS]
                title = f"{text.partition('=')[0]}, {variant}" + (", with the vocabulary" if vocabulary else "")
                print(f"| {title} | {' | '.join(cells)} |", flush=True)


def measure(
    options: argparse.Namespace, text: str, variant: str, seed: int, vocabulary: bool
) -> dict[str, float | None]:
    """Train and evaluate a variant, in each fold, unless that is finished; return its figures."""
    world = DemoWorld(options.demo)
    name, _, encoder = text.partition("=")
    folds = range(1, options.folds + 1) if variant != "made_up" else [0]
    summaries = []
    for fold in folds:
        out = options.demo / "ablation" / f"{name}-{variant}-{seed}-{fold}"
        start = ["--start", str(world.folder / "pretrain"), "--text", encoder] if encoder else []
        held_out = ["--hold-out", f"{fold}/{options.folds}"] if fold else []
        begun = start or ["--start", str(world.folder / "align")]
        world.segment(out, *begun, *held_out, *VARIANTS[variant], "--seed", str(seed), *options.options.split())
        folder = out / ("evaluation-vocabulary" if vocabulary else "evaluation")
        flag = ["--vocabulary"] if vocabulary else []
        summaries.append(world.evaluate(out, folder, "--limit", str(options.limit), *flag))
    return figures(summaries)


def figures(summaries: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Return the value of each column, the mean over evaluations that have it."""
    rows = []
    for summary in summaries:
        means = {mean["key"]: mean["score"]["dice"]["value"] for mean in summary["means"]}
        presence = {row["kind"]: row for row in summary["presence"]}
        rows.append(
            {
                "names": means["names"],
                "names of syn.": means.get("names_of_synonyms"),
                "synonyms": means.get("synonyms"),
                "groups trained": means.get("groups_trained"),
                "false masks": presence["name"]["false_masks"]["value"],
                "… by synonym": presence["synonym"]["false_masks"]["value"],
                "nonsense": presence["nonsense"]["false_masks"]["value"],
                "missed": presence["name"]["missed"]["value"],
            }
        )
    held_out = [
        subject["score"]["dice"]["value"]
        for summary in summaries
        for subject in summary["subjects"]
        if subject["kind"] == "group" and subject["trained"] is False
    ]
    columns = {column: _mean([row[column] for row in rows if column in row]) for column in COLUMNS}
    return columns | {"groups held out": _mean(held_out)}


def row(summary: dict[str, Any]) -> list[str]:
    """Return, as text, the mean Dice of names, synonyms and groups in a summary, and the share of false masks."""
    means = {mean["key"]: mean["score"]["dice"]["value"] for mean in summary["means"]}
    absent = {row["kind"]: row["false_masks"]["value"] for row in summary["presence"]}
    values = [means["names"], means["synonyms"], means["groups"], absent["name"]]
    return ["      –" if value is None else f"{value:7.3f}" for value in values]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    spread = f" ({min(known):.3f} to {max(known):.3f})" if len(known) > 1 else ""
    return f"{statistics.fmean(known):.3f}{spread}"


if __name__ == "__main__":
    main()
