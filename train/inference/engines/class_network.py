"""An STU-Net with an output for each class, as it segments: published weights, or what a pretraining has stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from models.architecture import PUBLISHED_LABELS
from models.checkpoint import load_checkpoint
from models.checkpoint_record import CheckpointError, CheckpointRecord, read_record
from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from models.stunet import STUNet
from models.weights_file import digest_of
from train.inference.windows import Patch

# The windows that the published weights were trained on (STU-Net's plan files): D, H, W in voxels.
PUBLISHED_PATCH: Patch = (128, 128, 128)
# Of a file's name, in the name of its weights: DICOM has 64 characters for it, with the digest behind it.
LONGEST_STEM = 40


@dataclass(frozen=True, eq=False)
class ClassNetwork:
    """A network whose outputs have names, with what its weights depend on.

    The first output is the background. `patch` (D, H, W) is what it was trained on, None where nothing says so;
    `weights` names the weights in what is written with them.
    """

    network: STUNet
    preprocessing: Preprocessing
    patch: Patch | None
    weights: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs, in order, the background first."""
        assert self.network.labels is not None
        return self.network.labels

    @classmethod
    def load_published(cls, path: Path, device: torch.device | str = "cpu") -> Self:
        """Load published weights (`small_ep4k.model`, `.pth` or safetensors), to be run as they were trained.

        Raises WeightsFileError for a file that is no STU-Net, and CheckpointError for other outputs than the 104
        structures that the published ones have, whose names stand in no such file.
        """
        network = STUNet.load_published(path)
        check_labels(path, network.num_classes, network.labels)
        if network.in_channels != 1:
            raise CheckpointError(
                f"{path} takes {network.in_channels} volumes at once, such as CT and PET; a CT is one"
            )
        weights = f"{path.stem[:LONGEST_STEM]}-{digest_of(path)[:16]}"
        return cls(network.to(device).eval(), PUBLISHED_PREPROCESSING, PUBLISHED_PATCH, weights)

    @classmethod
    def load_pretrained(cls, directory: Path, device: torch.device | str = "cpu") -> Self:
        """Load the checkpoint that `ovct train pretrain` has written. Raises CheckpointError for another."""
        pretrained_labels(directory)
        model, record = load_checkpoint(directory, device)
        assert isinstance(model, STUNet)
        return cls.of_loaded(model, record)

    @classmethod
    def of_loaded(cls, network: STUNet, record: CheckpointRecord) -> Self:
        """Return a network that was loaded from a checkpoint with this record. Raises CheckpointError without names."""
        check_labels("this checkpoint", network.num_classes, network.labels)
        return cls(network, record.preprocessing, trained_patch(record), record.weights)


def published_labels(path: Path) -> tuple[str, ...]:
    """Return the names of the outputs of published weights, without reading more than shapes.

    Raises what `ClassNetwork.load_published` does.
    """
    network = STUNet.load_published(path, shapes_only=True)
    check_labels(path, network.num_classes, network.labels)
    assert network.labels is not None
    return network.labels


def pretrained_labels(directory: Path) -> tuple[str, ...]:
    """Return the names of the outputs of a pretraining's checkpoint, by its record. Raises CheckpointError."""
    image = read_record(directory).image
    check_labels(directory, image.num_classes, image.labels)
    assert image.labels is not None
    return image.labels


def trained_patch(record: CheckpointRecord) -> Patch | None:
    """Return the patch (D, H, W), in voxels, that a checkpoint was trained on; None where its record does not say."""
    last = record.trained_on[-1] if record.trained_on else {}
    # Of a pretraining it stands among the settings alone.
    options = last.get("options")
    patch = last.get("patch") or (options.get("patch") if isinstance(options, dict) else None)
    if not isinstance(patch, list) or len(patch) != 3:
        return None
    depth, height, width = (int(str(size)) for size in patch)
    return depth, height, width


def check_labels(path: Path | str, num_classes: int | None, labels: Sequence[str] | None) -> None:
    """Raise CheckpointError for a network without outputs, or whose outputs have no names."""
    if num_classes is None:
        raise CheckpointError(
            f"{path} has no outputs for classes: it cannot segment by itself; `ovct train segment DATASET --start` "
            "makes of it what does"
        )
    if labels is None:
        raise CheckpointError(
            f"{path} has {num_classes} outputs whose names it does not say; known are the {len(PUBLISHED_LABELS)} of "
            "the published STU-Net weights, and those of `ovct train pretrain`"
        )
