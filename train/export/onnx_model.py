"""Writes a text-driven segmenter as ONNX: a window and prompts' embeddings in, logits out, for programs without torch.

    OUT/segmenter.onnx    the image encoder and decoder with the connector; above 2 GB its weights beside it
    OUT/segmenter.json    how a scan is prepared, how windows lie, and the embeddings of named prompts

The text encoder stays here: a program that knows its prompts beforehand takes their embeddings from the JSON. The batch
is one window, for a batch of any size would add arithmetic on shapes to nearly every node.

Shapes: P prompts, E embedding, C channels, D H W voxels of a window.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from curation.runtime.errors import InputError, RunError, extra_hint
from curation.runtime.files import write_text
from curation.runtime.progress import Progress
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from train.inference.engines.class_network import trained_patch
from train.inference.prompts import SegmentPrompt
from train.inference.windows import USUAL_SIDE, Patch, window_size

from .asked_prompts import SourceModel, open_source
from .onnx_record import JSON_FILE, MODEL_FILE, OPSET, OUTPUTS, OnnxCheck, OnnxRecord, record_of
from .whole_folder import check_replaceable, whole_folder

KIND = "model in ONNX"
# Of a logit, or of the largest one where that is above 1: float32 has about seven digits.
TOLERANCE = 1e-4
# Prompts that the check asks at once.
MOST_CHECKED = 32


class WindowNetwork(nn.Module):
    """A segmenter as ONNX has it: a window (1, 1, D, H, W) and embeddings (P, E) in, three tensors out.

    These are logits (1, P, D, H, W), presence logits of this window alone (1, P), and the finest features
    (1, C, D, H, W).
    """

    def __init__(self, segmenter: TextSegmenter) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, volume: Tensor, prompts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, presence logits and features."""
        features = self.segmenter.image_features(volume)
        finest, *_, presence = self.segmenter.queries(prompts, features.bottleneck)
        logits = finest.logits(features.levels[0])
        statistics = MaskStatistics.of(logits, features.levels[0])
        return logits, presence_logits(presence, statistics), features.levels[0]


def export_onnx(
    checkpoint: Path,
    out: Path,
    prompts: Sequence[str | SegmentPrompt] = (),
    progress: Progress | None = None,
    *,
    overwrite: bool = False,
) -> OnnxRecord:
    """Write the checkpoint of `ovct train segment` as ONNX into the folder `out`, and return what its JSON says.

    `prompts` are those whose embeddings the JSON holds; without any, one for each structure of the training. Where
    onnxruntime is installed, its logits are held against torch's.

    Raises InputError where `out` is there already or a package is missing, RunError where the logits differ by more
    than `TOLERANCE`, and what `open_source` raises.
    """
    progress = progress or Progress()
    for package in ("onnx", "onnxscript"):
        _require(package)
    check_replaceable(out, KIND, overwrite=overwrite)
    source = open_source(checkpoint, prompts)
    architecture = source.model.image.architecture
    usual = (USUAL_SIDE, USUAL_SIDE, USUAL_SIDE)
    patch = window_size(architecture, trained_patch(source.record), usual)
    network = WindowNetwork(source.model).eval()
    with whole_folder(out, KIND, overwrite=overwrite) as folder:
        _write_graph(network, patch, source.asked.embeddings, folder / MODEL_FILE)
        check = _checked(network, source, patch, folder / MODEL_FILE)
        if check is None:
            progress.warning(
                f"{out}: its logits were not held against torch's, for onnxruntime is not installed: "
                f"{extra_hint('onnx')}"
            )
        record = record_of(source, patch, check)
        write_text(folder / JSON_FILE, record.model_dump_json(indent=1) + "\n")
    return record


def _require(package: str) -> None:
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise InputError(f"export onnx needs the package {error.name}: {extra_hint('onnx')}") from error


def _write_graph(network: WindowNetwork, patch: Patch, embeddings: Tensor, path: Path) -> None:
    # At least two prompts: torch takes a length of one for a constant.
    example = embeddings if len(embeddings) > 1 else embeddings.repeat(2, 1)
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            network,
            (torch.zeros(1, 1, *patch), example),
            dynamo=True,
            dynamic_shapes={"volume": {}, "prompts": {0: torch.export.Dim("prompts", min=1)}},
            input_names=["volume", "prompts"],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            verbose=False,
        )
        assert program is not None
        program.save(path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter tells of its own inner workings: none of it is about the model."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _checked(network: WindowNetwork, source: SourceModel, patch: Patch, path: Path) -> OnnxCheck | None:
    """Return how far onnxruntime's logits are from torch's; None without that package. Raises RunError."""
    try:
        import onnxruntime
    except ModuleNotFoundError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # Noise as a window has it once its intensities are scaled, from one seed.
    volume = torch.randn(1, 1, *patch, generator=torch.Generator().manual_seed(0))
    largest = difference = 0.0
    # One prompt, and many at once: their number is free in the graph.
    for prompts in (source.asked.embeddings[:1], source.asked.embeddings[:MOST_CHECKED]):
        with torch.no_grad():
            expected = network(volume, prompts)[0]
        (logits,) = session.run(["logits"], {"volume": volume.numpy(), "prompts": prompts.numpy()})
        difference = max(difference, float((torch.from_numpy(logits) - expected).abs().max()))
        largest = max(largest, float(expected.abs().max()))
    check = OnnxCheck(
        onnxruntime=onnxruntime.__version__, torch=torch.__version__, largest_difference=difference, largest=largest
    )
    return _raise_if_far(check)


def _raise_if_far(check: OnnxCheck) -> OnnxCheck:
    """Return the check. Raises RunError where a difference, or one that is no number, is beyond the tolerance."""
    if not check.largest_difference <= TOLERANCE * max(1.0, check.largest):
        raise RunError(
            f"onnxruntime {check.onnxruntime} gives logits that differ from torch's by up to "
            f"{check.largest_difference:.2g} (logits reach {check.largest:.3g}, and {TOLERANCE:g} of that is allowed): "
            "nothing was written. Try another version of onnxruntime or torch, and tell us of it"
        )
    return check
