"""Opens an engine: by what a checkpoint holds, or by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from models.checkpoint import Checkpoint, read_record
from models.stunet import STUNet
from train.inference.errors import SegmentError
from train.inference.options import AUTO, SegmentOptions, best_device

from .class_network import ClassNetwork
from .engine import MaskEngine
from .heads import HeadsEngine
from .text import TextDrivenEngine, load_segmenter
from .totalsegmentator import TotalSegmentatorEngine

EngineName = Literal["checkpoint", "totalsegmentator"]
ENGINES: Final = ("checkpoint", "totalsegmentator")


def open_engine(checkpoint: Checkpoint | Path | str, options: SegmentOptions) -> MaskEngine:
    """Return the engine of a checkpoint: a folder, a file of published weights, or what was loaded.

    A text-driven segmenter is asked by text, a network with outputs for classes by these. Raises SegmentError,
    CheckpointError and WeightsFileError for what can do neither.
    """
    if isinstance(checkpoint, Checkpoint):
        return _of_loaded(checkpoint, options)
    path = Path(checkpoint)
    device = best_device() if options.device == AUTO else options.device
    if path.is_file():
        return HeadsEngine(ClassNetwork.load_published(path, device))
    if read_record(path).kind == "stunet":
        return HeadsEngine(ClassNetwork.load_pretrained(path, device))
    return TextDrivenEngine(*load_segmenter(path, options.device))


def open_engine_named(name: str, checkpoint: Path | None, options: SegmentOptions, *, fetch: bool) -> MaskEngine:
    """Return the engine of a command line. Raises SegmentError where name and checkpoint do not go together."""
    if name == "totalsegmentator":
        return TotalSegmentatorEngine(options, fetch=fetch)
    assert checkpoint is not None
    return open_engine(checkpoint, options)


def check_choice(name: str, checkpoint: Path | None, *, fetch: bool) -> None:
    """Raise SegmentError for an engine that there is not, and for options that do not go with it."""
    if name not in ENGINES:
        raise SegmentError(f"--engine {name}: {', '.join(ENGINES)}")
    if name == "totalsegmentator" and checkpoint is not None:
        raise SegmentError("--engine totalsegmentator brings its own weights: leave --checkpoint out")
    if name == "checkpoint" and fetch:
        raise SegmentError("--fetch-weights goes with --engine totalsegmentator")
    if name == "checkpoint" and checkpoint is None:
        raise SegmentError(
            "segment needs --checkpoint, the folder that `ovct train segment` wrote or a file of published STU-Net "
            "weights, or --engine totalsegmentator"
        )


def _of_loaded(checkpoint: Checkpoint, options: SegmentOptions) -> MaskEngine:
    model, record = checkpoint
    if not isinstance(model, STUNet):
        return TextDrivenEngine(*load_segmenter(checkpoint, options.device))
    return HeadsEngine(ClassNetwork.of_loaded(model if options.device == AUTO else model.to(options.device), record))
