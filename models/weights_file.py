"""Reads weights that others published, without ever running the code that a pickle may hold."""

import hashlib
import os
import pickle
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Where the weights lie in what nnU-Net writes: version 1 (`.model`) and version 2 (`.pth`).
WEIGHT_KEYS = ("state_dict", "network_weights")
# What wrappers put before each name: distributed training and torch.compile.
WRAPPERS = ("module.", "_orig_mod.")
# The last field of a sealed JSON object, and the beginning of one.
ZEROS = b"0" * 64
_SEAL = re.compile(rb',\n  "sha256": "([0-9a-f]{64})"\n\}\n\Z')
_BEGINNING = b'{\n  "'


class WeightsFileError(ValueError):
    """Raised for a file that holds no weights of the kind asked for, or more than weights."""

    exit_code = 2


SAVING = ".saving"


def write_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file, with `metadata` in its header. Raises OSError where it cannot be written.

    safetensors writes under a name of its own choice first, which a process that is killed leaves behind. So it writes
    within a hidden folder, `path` with `.saving` behind its name, which the next call for `path` removes.
    """
    from safetensors.torch import save_file

    folder = saving_folder(path)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with disk_errors(path):
            folder.mkdir()
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "tensors", metadata)
        (folder / "tensors").replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def saving_folder(path: Path) -> Path:
    """Return the folder in which `write_tensors` writes `path`; a process that was killed leaves it behind."""
    return path.with_name(path.name + SAVING)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise what safetensors could not write to `path` as the OSError that it was: it has the number in its text."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def read_weights(path: Path | str, *, shapes_only: bool = False) -> dict[str, Tensor]:
    """Return the tensors of a safetensors or PyTorch file (nnU-Net's `.model` and `.pth` too), on the CPU, by name.

    With `shapes_only` they are on the device "meta": shapes and types, for which no values are read.
    Beside tensors a PyTorch file may hold plain Python values and numpy's numbers and arrays (nnU-Net stores its
    learning curves so). Anything else could run code when it is read: then nothing is read, and WeightsFileError names
    it. Raises WeightsFileError also for a file that is missing, incomplete or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsFileError(f"{path}: {'a folder, name the file in it' if path.is_dir() else 'no such file'}")
    device = "meta" if shapes_only else "cpu"
    tensors = (
        _read_safetensors(path, device) if _is_safetensors(path) else _find_tensors(path, _read_pytorch(path, device))
    )
    return {_without_wrappers(name): tensor for name, tensor in tensors.items()}


def describe_mismatches(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> str:
    """Describe where `weights` are not those `expected`: missing, unknown, of another shape or kind; else empty."""
    missing = [name for name in expected if name not in weights]
    unknown = [name for name in weights if name not in expected]
    shapes = [
        f"{name} is {tuple(weights[name].shape)} and not {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    integers = [name for name in expected if name in weights and not weights[name].is_floating_point()]
    mismatches = (
        ("not floating point", integers),
        ("missing", missing),
        ("unknown", unknown),
        ("of another shape", shapes),
    )
    return "; ".join(
        f"{len(names)} {mismatch}: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}"
        for mismatch, names in mismatches
        if names
    )


def _is_safetensors(path: Path) -> bool:
    if path.suffix == ".safetensors":
        return True
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _read_safetensors(path: Path, device: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return {name: tensor.to(device) for name, tensor in load_file(path).items()}
    except SafetensorError as error:
        raise WeightsFileError(f"{path}: not a complete safetensors file ({error}); fetch it again") from error


def _read_pytorch(path: Path, device: str) -> object:
    try:
        with torch.serialization.safe_globals(_numpy_globals()):
            return torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsFileError(_refusal(path, error)) from error
    except (EOFError, RuntimeError, zipfile.BadZipFile, KeyError, ValueError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsFileError(f"{path}: cannot be read as a PyTorch file ({reason}); is it complete?") from error


def _numpy_globals() -> list[Any]:
    """Return what numpy's numbers and arrays need to be read; numpy 1 wrote two functions under another name."""
    functions = {"scalar": np.float64(0).__reduce__()[0], "_reconstruct": np.zeros(1).__reduce__()[0]}
    old_names = [(function, f"numpy.core.multiarray.{name}") for name, function in functions.items()]
    number_types = {type(np.dtype(code)) for code in "?bBhHiIlLqQefd"}
    return [*functions.values(), *old_names, np.ndarray, np.dtype, *number_types]


def _refusal(path: Path, error: Exception) -> str:
    allowed = {"numpy.ndarray", "numpy.dtype"} | {
        f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")
    }
    try:
        unsafe = sorted(set(torch.serialization.get_unsafe_globals_in_checkpoint(path)) - allowed)
    except (ValueError, pickle.UnpicklingError):
        unsafe = []
    problem = f"holds {', '.join(unsafe)}" if unsafe else "is no PyTorch file, or holds more"
    return (
        f"{path} {problem}; only tensors, plain values and numpy's numbers are read from a file of this kind, since "
        "reading others can run code. Where you trust its source, save its tensors as safetensors and load those"
    )


def _find_tensors(path: Path, content: object) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        raise WeightsFileError(f"{path}: holds a {type(content).__name__}, not named weights")
    weights = next((content[key] for key in WEIGHT_KEYS if isinstance(content.get(key), Mapping)), content)
    other_keys = [
        str(name) for name, value in weights.items() if not isinstance(value, Tensor) or not isinstance(name, str)
    ]
    if other_keys or not weights:
        content_found = ", ".join(other_keys[:5]) or "nothing"
        raise WeightsFileError(
            f"{path}: no weights under {' or '.join(WEIGHT_KEYS)}; it holds {content_found} instead of tensors"
        )
    return dict(weights)


def _without_wrappers(name: str) -> str:
    while name.startswith(WRAPPERS):
        name = next(name.removeprefix(wrapper) for wrapper in WRAPPERS if name.startswith(wrapper))
    return name


def seal(record: bytes) -> bytes:
    """Return a JSON object, with any fields, sealed: its last field is the digest of the text, in which it is zeros."""
    text = record.rstrip().removesuffix(b"}").rstrip() + b',\n  "sha256": "' + ZEROS + b'"\n}\n'
    head, _, tail = text.rpartition(ZEROS)
    return head + hashlib.sha256(text).hexdigest().encode() + tail


def unseal(content: bytes) -> tuple[bytes, bool | None]:
    """Return the JSON object without its seal, and whether the seal holds.

    None where it has none: it is of an earlier version, or was written anew by something else than `seal`, which shows
    in its layout. No single byte changes both its beginning and its end.
    """
    match = _SEAL.search(content)
    if match is None:
        return content, False if content.startswith(_BEGINNING) and b"sha256" in content[-100:] else None
    text = content[: match.start(1)] + ZEROS + content[match.end(1) :]
    return content[: match.start()] + b"\n}\n", hashlib.sha256(text).hexdigest().encode() == match[1]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
