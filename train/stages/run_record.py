"""Records of a run: the settings that a resumed run must share, and what a checkpoint says of its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from train.config.options import StageConfig, flat
from train.data.cases import DataSet
from train.data.labelling.labelled import labelled_fingerprint
from train.data.training_set import CaseRef, TrainingSet
from train.loop.engine import TrainingEngine

# Held-out cases that an evaluation while training looks at, and those of them that it draws, at most.
MOST_EVALUATED = 24
MOST_DRAWN = 3
# Settings that may change when a run goes on: they change nothing of what is learned.
NOT_LEARNED_FROM = frozenset(
    {
        *("accelerator", "devices", "num_nodes", "workers", "prepare_workers", "cache"),
        *("save_every", "evaluate_every", "evaluation_share", "log_every", "logger"),
        *("channels_last", "compile", "cudnn_benchmark"),
    }
)


def settings_of(config: StageConfig, data: TrainingSet) -> dict[str, Any]:
    """Return all that decides what is learned, as JSON: options, data sets, number of their cases."""
    return settings_with(config, [_describe(source.dataset) for source in data.sources])


def settings_with(config: StageConfig, data: Sequence[str]) -> dict[str, Any]:
    """Return the same for data that are described in words."""
    options = {name: _as_json(value) for name, value in flat(config).items() if name not in NOT_LEARNED_FROM}
    return options | {"data": list(data)}


def _describe(dataset: DataSet) -> str:
    labelled = labelled_fingerprint(dataset)
    return f"{dataset.root}: {len(dataset.cases)} cases" + (f", labelled {labelled}" if labelled else "")


def learned_by(stage: str, config: StageConfig, data: Sequence[JsonValue], step: int) -> dict[str, JsonValue]:
    """Return what a checkpoint records of a run: stage, steps done, data and every option."""
    options: dict[str, JsonValue] = {name: _as_json(value) for name, value in flat(config).items()}
    return {"stage": stage, "steps": step, "data": list(data), "options": options}


def evaluated_cases(data: TrainingSet, engine: TrainingEngine) -> list[CaseRef]:
    """Return this process's share of the held-out cases, the same ones each time."""
    return data.case_refs(held_out=True)[:MOST_EVALUATED][engine.rank :: engine.world]


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
