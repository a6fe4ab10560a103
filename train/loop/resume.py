"""The state of a run on disk, to go on from: weights that train, buffers, the optimizer's moments and the average.

    OUT/resume/resume.json             written last: step, settings, the file that belongs to it and its SHA-256
    OUT/resume/state-STEP.safetensors  nothing in it is unpickled

A run killed at any moment leaves the old state or the new one.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from curation.runtime.digests import file_digest, sealed, unsealed
from curation.runtime.files import temporary_name, whole_file, write_text
from models.weights_file import saving_folder, write_tensors
from train.config.options import ConfigError
from train.config.renamed import with_current_names

from .optimisation import Average

RECORD = "resume.json"
STATE_NAME = re.compile(r"state-\d+\.safetensors")
# Differing settings that an error names.
MOST_NAMED = 5


def save_state(
    folder: Path,
    step: int,
    settings: Mapping[str, Any],
    parameters: Mapping[str, Parameter],
    buffers: Mapping[str, Tensor],
    optimizer: Optimizer,
    average: Average,
) -> None:
    """Write the state after `step` steps; the state before is removed once the new one counts."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"weight/{name}": tensor.detach() for name, tensor in {**parameters, **buffers}.items()}
    tensors |= {f"average/{name}": tensor for name, tensor in average.weights.items()}
    for name, parameter in parameters.items():
        moments = optimizer.state[parameter]
        tensors |= {f"optimizer/{name}/{key}": value for key, value in moments.items()}
    name = f"state-{step}.safetensors"
    before = _read_record(folder)
    replaced = _replaced_by(name, before)
    if before is not None:
        # Told of before it is there: a save that is killed in between leaves nothing that nobody knows of.
        _write_record(folder, {**before, "replaced": sorted({*replaced, name} - {before["state"]})})
    with whole_file(folder / name) as temporary:
        write_tensors({key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}, temporary)
    record = {"step": step, "state": name, "sha256_of_state": file_digest(folder / name), "settings": settings}
    _write_record(folder, {**record, "replaced": replaced})
    for earlier in (folder / name for name in replaced):
        earlier.unlink(missing_ok=True)
        temporary_name(earlier).unlink(missing_ok=True)  # of a save that was killed
        shutil.rmtree(saving_folder(temporary_name(earlier)), ignore_errors=True)


def _replaced_by(name: str, before: dict[str, Any] | None) -> list[str]:
    """Return the states of earlier saves, and of one that was killed, which a new one named `name` replaces."""
    if before is None:
        return []
    return sorted({before["state"], *before.get("replaced", ())} - {name})


def _write_record(folder: Path, record: Mapping[str, Any]) -> None:
    write_text(folder / RECORD, sealed(record))


def saved_step(folder: Path, settings: Mapping[str, Any]) -> int | None:
    """Return the step of the saved state, None without one. Raises ConfigError if it is of other settings."""
    record = _read_record(folder)
    if record is None:
        return None
    before = with_current_names(record["settings"])
    differing = [name for name in sorted(settings.keys() | before.keys()) if settings.get(name) != before.get(name)]
    if differing:
        differences = "; ".join(
            f"{name} was {before.get(name)!r}, is {settings.get(name)!r}" for name in differing[:MOST_NAMED]
        )
        raise ConfigError(
            f"{folder.parent} holds a run with other settings ({differences}): name another --out, or say --overwrite "
            "to start again"
        )
    return int(record["step"])


def load_state(
    folder: Path,
    parameters: Mapping[str, Parameter],
    buffers: Mapping[str, Tensor],
    optimizer: Optimizer,
    average: Average,
) -> None:
    """Put the saved state into the model and the optimizer. Raises ConfigError if it does not fit."""
    record = _read_record(folder)
    assert record is not None
    path = folder / record["state"]
    try:
        digest = record.get("sha256_of_state")  # of an earlier version there is none
        if digest is not None and file_digest(path) != digest:
            raise ConfigError(f"{path} was changed (its sha256 is another): start again with --overwrite")
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): start again with --overwrite") from error
    weights = {f"weight/{name}": tensor for name, tensor in {**parameters, **buffers}.items()}
    if weights.keys() != {name for name in tensors if name.startswith("weight/")}:
        raise ConfigError(f"{path} is of a model with other parameters: start again with --overwrite")
    with torch.no_grad():
        for name, tensor in weights.items():
            tensor.copy_(tensors[name])
        for name, tensor in average.weights.items():
            tensor.copy_(tensors[f"average/{name}"])
    _restore_moments(optimizer, parameters, tensors)


def _restore_moments(optimizer: Optimizer, parameters: Mapping[str, Parameter], tensors: Mapping[str, Tensor]) -> None:
    for name, parameter in parameters.items():
        prefix = f"optimizer/{name}/"
        for key, value in tensors.items():
            if key.startswith(prefix):
                # AdamW counts its steps on the CPU.
                moment = value if key.endswith("/step") else value.to(parameter.device)
                optimizer.state[parameter][key.removeprefix(prefix)] = moment


def _read_record(folder: Path) -> dict[str, Any] | None:
    path = folder / RECORD
    try:
        content, holds = unsealed(path.read_bytes())
        record: dict[str, Any] = json.loads(content)
        names = [record["state"], *record.get("replaced", ())]
        int(record["step"]), dict(record["settings"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): start again with --overwrite") from error
    if holds is False:
        raise ConfigError(f"{path} was changed (its sha256 is another): start again with --overwrite")
    if strange := [name for name in names if not isinstance(name, str) or not STATE_NAME.fullmatch(name)]:
        raise ConfigError(f"{path} names {strange[0]!r}, which is no state of a run: start again with --overwrite")
    return record
