"""What `ovct train words` does to text encoders: held-out words before and after, and what it costs.

    python -m benchmarks.training.bench_words [--out runs/bench-words] [--seeds 0 1 2] [--encoders minilm mpnet]

For each encoder the score of the plain one, then a run with each seed: the measures of train/words/word_score.py on
TotalSegmentator's 117 classes, and the CPU seconds of the whole command, scoring included. A run that is finished in
--out is not run again.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.training.demo_world import last_evaluation, ovct
from tests.models.encoders import minilm_directory, unpack_mpnet

MEASURES = {
    "synonyms_nearest_name": "synonym: nearest of 117 names",
    "synonyms_nearest_prompt": "synonym: nearest of all trained prompts",
    "groups_at_their_mean": "group at its own members' mean",
    "group_synonyms_at_their_mean": "group's synonym at that mean",
    "left_right_cosine": "cosine of left X and right X",
    "synonym_cosine": "cosine of synonym and name",
    "latin_nearest_name": "Latin: nearest of 117 names",
}
# mpnet costs five times as much a step: fewer steps of smaller batches.
SETTINGS = {"minilm": (), "mpnet": ("--steps", "60", "--batch-size", "6", "--warmup-steps", "10")}


def main() -> None:
    """Print a table for each encoder, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/bench-words"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--encoders", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for encoder in options.encoders:
        folder = _folder(encoder, options.out)
        before = plain_score(folder)
        results = [run(encoder, folder, seed, options.out) for seed in options.seeds]
        print_table(encoder, before, results)


def plain_score(folder: Path) -> dict[str, float]:
    """Return the score of an encoder as it is."""
    from models.text import TextEncoder
    from prompts.vocabulary import load_vocabulary
    from train.words.word_score import score_encoder

    return score_encoder(TextEncoder.from_pretrained(folder).encode, load_vocabulary())


def run(encoder: str, folder: Path, seed: int, out: Path) -> dict[str, float]:
    """Train with a seed; return the score and the CPU seconds, from an earlier call where it is finished."""
    place = out / f"{encoder}-{seed}"
    record = out / f"{encoder}-{seed}.json"
    if not record.exists():
        started = _cpu_seconds()
        ovct("train", "words", "--text", folder, "--out", place, "--seed", seed, *SETTINGS[encoder])
        score = {name: last_evaluation(place)[name] for name in MEASURES}
        record.write_text(json.dumps(score | {"cpu_seconds": _cpu_seconds() - started}) + "\n")
    result: dict[str, float] = json.loads(record.read_text())
    print(f"{encoder}, seed {seed}: {result}", flush=True)
    return result


def print_table(encoder: str, before: Mapping[str, float], results: Sequence[Mapping[str, float]]) -> None:
    """Print mean, lowest and highest of each measure over the seeds, beside the plain encoder."""
    print(f"\n| {encoder}, {len(results)} seeds | before | after | lowest to highest |\n| --- | --- | --- | --- |")
    for name, words in MEASURES.items():
        values = [result[name] for result in results]
        print(
            f"| {words} | {before[name]:.3f} | {statistics.mean(values):.3f} | {min(values):.3f} to {max(values):.3f} |"
        )
    seconds = [result["cpu_seconds"] for result in results]
    print(
        f"| CPU seconds | | {statistics.mean(seconds):.0f} | {min(seconds):.0f} to {max(seconds):.0f} |\n", flush=True
    )


def _folder(encoder: str, out: Path) -> Path:
    return minilm_directory() if encoder == "minilm" else unpack_mpnet(out)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
