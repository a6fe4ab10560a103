"""Stage 3 on phantoms, in variants: how prompts are drawn, the text encoder, the connector.

    python -m benchmarks.training.ablate_segmenting [--demo runs/demo] [--variants made_up groups ...] [--seeds 0 1 2]
        [--folds 3] [--text minilm words=FOLDER] [--steps 500] [--whole] [--options "--steps 150"] [--limit 20]

`made_up`: as before groups were trained: all groups held out, 40 % of the prompts made up, no words for what is absent.
`groups`: as by default. `nonsense`: the same, and words that mean nothing are taught as absent. `queries_4`: the same
with four queries a prompt. `missed_not_weighed`: the same without the loss on what is missed whole. `cross_attention`:
the same with the other connector (the paper reports, on merged prompts of TotalSegmentator, 61.1 % for the MLP and
43.4 % for cross-attention; with --whole alone). Each but `made_up` is trained once for each fold of the groups and each
seed.

Without --whole the connector alone is trained, for --steps, on stored features of the demo's pretrained network
(benchmarks/training/stored_features.py): minutes a variant, seed and fold. With it, the whole stage from the demo's
alignment, or from its pretraining with `--text NAME=ENCODER`, measured with `ovct evaluate` on the test phantoms, the
model alone and with the vocabulary's help; what is finished is not run again. `--text demo` is the demo's alignment.

A held-out group counts in the fold in which it was held out, a trained one in all others; all else is the mean over
folds. With several seeds the range over seeds stands behind the mean.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.training.demo_world import DemoWorld
from benchmarks.training.stored_features import ConnectorWorld, column_values, held_out_groups
from tests.models.encoders import minilm_directory

Variant = dict[str, str | float]
VARIANTS: dict[str, Variant] = {
    "made_up": {
        "hold_out": "all", "merged": 0.4, "groups": 0.0, "near_negatives": 0.0, "absent_words": 0.0, "nonsense": 0.0,
    },
    "groups": {},
    "absent_words": {"absent_words": 0.05},
    "nonsense": {"nonsense": 0.05},
    "queries_4": {"queries_per_prompt": 4},
    "missed_not_weighed": {"missed_structure_weight": 0.0},
    "cross_attention": {"connector": "cross_attention"},
}  # fmt: skip
COLUMNS = (
    "names", "names of syn.", "synonyms", "groups trained", "groups held out", "false masks", "… by synonym",
    "nonsense", "missed",
)  # fmt: skip


def main() -> None:
    """Print a line for each variant, the model alone and with the vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("runs/demo"))
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["made_up", "groups"])
    parser.add_argument("--text", nargs="+", default=["minilm"], help="minilm, demo, or NAME=ENCODER")
    parser.add_argument("--steps", type=int, default=500, help="of the connector alone")
    parser.add_argument("--whole", action="store_true", help="the whole stage, through ovct")
    parser.add_argument("--options", default="", help='with --whole: options of train segment, as in "--steps 150"')
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=20, help="with --whole: test phantoms")
    options = parser.parse_args()
    alone = ConnectorWorld(DemoWorld(options.demo))
    print("| text, prompts |", " | ".join(COLUMNS), "|")
    print("| --- " * (len(COLUMNS) + 1) + "|")
    for text in options.text:
        for variant in options.variants:
            for vocabulary in (False, True) if options.whole else (False,):
                if options.whole:
                    rows = [whole(options, text, variant, seed, vocabulary) for seed in options.seeds]
                else:
                    rows = [connector_alone(options, alone, text, variant, seed) for seed in options.seeds]
                cells = [_cell([row[column] for row in rows]) for column in COLUMNS]
                title = f"{text.partition('=')[0]}, {variant}" + (", with the vocabulary" if vocabulary else "")
                print(f"| {title} | {' | '.join(cells)} |", flush=True)


def folds_of(options: argparse.Namespace, variant: str) -> list[Variant]:
    """Return the options of a variant for each fold; what holds all groups out has one."""
    changes = VARIANTS[variant]
    if "hold_out" in changes:
        return [changes]
    return [{**changes, "hold_out": f"{fold}/{options.folds}"} for fold in range(1, options.folds + 1)]


def connector_alone(
    options: argparse.Namespace, world: ConnectorWorld, text: str, variant: str, seed: int
) -> dict[str, float | None]:
    """Train the connector in each fold; return the figures."""
    name, _, encoder = text.partition("=")
    rows = []
    for changes in folds_of(options, variant):
        scores = world.score(encoder or str(minilm_directory()), options.steps, {**changes, "seed": seed})
        rows.append((scores, column_values(scores)))
        print(f"<!-- {name} {variant} {changes.get('hold_out')} seed {seed}: {rows[-1][1]} -->", flush=True)
    return _over_folds([values for _, values in rows], [held_out_groups(scores) for scores, _ in rows])


def whole(options: argparse.Namespace, text: str, variant: str, seed: int, vocabulary: bool) -> dict[str, float | None]:
    """Train and evaluate a variant, in each fold, unless that is finished; return its figures."""
    world = DemoWorld(options.demo)
    name, _, encoder = text.partition("=")
    encoder = str(minilm_directory()) if name == "minilm" else encoder
    summaries = []
    for changes in folds_of(options, variant):
        out = options.demo / "ablation" / f"{name}-{variant}-{seed}-{str(changes['hold_out']).partition('/')[0]}"
        start = ["--start", str(world.folder / "pretrain"), "--text", encoder]
        begun = start if encoder else ["--start", str(world.folder / "align")]
        flags = [word for key, value in changes.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        world.segment(out, *begun, *flags, "--seed", str(seed), *options.options.split())
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
        [
            subject["score"]["dice"]["value"]
            for subject in summary["subjects"]
            if subject["kind"] == "group" and subject["trained"] is False
        ]
        for summary in summaries
    ]
    return _over_folds(rows, held_out)


def _over_folds(
    rows: Sequence[Mapping[str, float | None]], held_out: Sequence[Sequence[float | None]]
) -> dict[str, float | None]:
    """Return the mean of each column over folds; that of held-out groups is over all groups."""
    columns = {column: _mean([row[column] for row in rows if column in row]) for column in COLUMNS}
    return columns | {"groups held out": _mean([value for values in held_out for value in values])}


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
