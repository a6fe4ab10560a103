"""The state of a run on disk, to go on from: weights that train, buffers, the optimizer's moments,
the average over the steps.

    OUT/resume/resume.json             written last: step, settings, the file that belongs to it
    OUT/resume/state-STEP.safetensors  nothing in it is unpickled

A run killed at any moment leaves the old state or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from curation.runtime.files import whole_file, write_text
from train.config import ConfigError

from .optimisation import Average

RECORD = "resume.json"


def save_state(
    folder: Path,
    step: int,
    settings: Mapping[str, Any],
    parameters: Mapping[str, Parameter],
    buffers: Mapping[str, Tensor],
    optimizer: Optimizer,
    average: Average,
) -> None:
    """After `step` steps; the state before is removed once this one counts."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"weight/{name}": tensor.detach() for name, tensor in {**parameters, **buffers}.items()}
    tensors |= {f"average/{name}": tensor for name, tensor in average.weights.items()}
    names = list(parameters)
    for index, state in _moments(optimizer, parameters).items():
        tensors |= {f"optimizer/{names[index]}/{key}": value for key, value in state.items()}
    name = f"state-{step}.safetensors"
    with whole_file(folder / name) as temporary:
        save_file({key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}, temporary)
    write_text(folder / RECORD, json.dumps({"step": step, "state": name, "settings": settings}, indent=2) + "\n")
    for path in folder.iterdir():
        if path.name not in (name, RECORD):
            path.unlink()


def saved_step(folder: Path, settings: Mapping[str, Any]) -> int | None:
    """The step of the saved state, None where there is none. ConfigError where it is of a run with other settings."""
    record = _record(folder)
    if record is None:
        return None
    before = record["settings"]
    other = [name for name in sorted(settings.keys() | before.keys()) if settings.get(name) != before.get(name)]
    if other:
        told = "; ".join(f"{name} was {before.get(name)!r}, is {settings.get(name)!r}" for name in other[:5])
        raise ConfigError(
            f"{folder.parent} holds a run with other settings ({told}): name another --out, or say --overwrite to "
            "start again"
        )
    return int(record["step"])


def load_state(
    folder: Path,
    parameters: Mapping[str, Parameter],
    buffers: Mapping[str, Tensor],
    optimizer: Optimizer,
    average: Average,
) -> None:
    """Puts the saved state into the model and the optimizer. ConfigError where it does not fit."""
    record = _record(folder)
    assert record is not None
    path = folder / record["state"]
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): start again with --overwrite") from error
    own = {f"weight/{name}": tensor for name, tensor in {**parameters, **buffers}.items()}
    if own.keys() != {name for name in tensors if name.startswith("weight/")}:
        raise ConfigError(f"{path} is of a model with other parameters: start again with --overwrite")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
        for name, tensor in average.weights.items():
            tensor.copy_(tensors[f"average/{name}"])
    _restore_moments(optimizer, parameters, tensors)


def _moments(optimizer: Optimizer, parameters: Mapping[str, Parameter]) -> dict[int, dict[str, Tensor]]:
    """What the optimizer knows of each parameter, by the parameter's place in `parameters`."""
    return {index: dict(optimizer.state[parameter]) for index, parameter in enumerate(parameters.values())}


def _restore_moments(optimizer: Optimizer, parameters: Mapping[str, Parameter], tensors: Mapping[str, Tensor]) -> None:
    for name, parameter in parameters.items():
        start = f"optimizer/{name}/"
        for key, value in tensors.items():
            if key.startswith(start):
                kept = value if key.endswith("/step") else value.to(parameter.device)
                optimizer.state[parameter][key.removeprefix(start)] = kept


def _record(folder: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder / RECORD} cannot be read ({error}): start again with --overwrite") from error
    return record
