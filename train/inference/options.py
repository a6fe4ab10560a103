"""The options of segmenting and their checks; the only place where their defaults stand.

The jobs, `segment`, the evaluation and the command line take them from here. Torch is imported inside the functions
that need it, so that the command line can read the defaults without loading it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from .errors import SegmentError

if TYPE_CHECKING:
    import torch

    from train.loop.precision import Precision
    from train.scans.dicom.stacking import UnevenSlices

AUTO: Final = "auto"


@dataclass(frozen=True)
class SegmentOptions:
    """How to segment, the same for all scans of a run.

    - `threshold`: a voxel belongs to a prompt above this probability.
    - `presence_threshold`: a prompt whose structure is present with a lower probability has no voxel; 0 keeps all.
    - `overlap`: the share of a window that each neighbour covers too, from 0 to below 1.
    - `precision`: the type in which convolutions run, "auto" for the fastest that the device computes natively.
    - `device`: a torch device by name; "auto" leaves a loaded model where it is, and loads one from disk to the
      accelerator, or to the CPU if there is none.
    - `vocabulary`: whether prompts that the anatomy vocabulary knows are replaced by the names of the training.
    - `min_volume_ml`: connected parts of a mask that are smaller are removed; 0 keeps all.
    - `uneven_slices`: "refuse" or "resample" a DICOM series whose slices do not lie at even distances.

    Raises SegmentError for a value out of range, a device that is not here and a precision that it lacks.
    """

    threshold: float = 0.5
    presence_threshold: float = 0.5
    overlap: float = 0.5
    precision: Precision = "auto"
    device: str = AUTO
    vocabulary: bool = True
    uneven_slices: UnevenSlices = "refuse"
    min_volume_ml: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("threshold", self.threshold), ("presence_threshold", self.presence_threshold)):
            if not 0 <= value <= 1:
                raise SegmentError(f"{name} {value:g}: write a probability from 0 to 1")
        if not 0 <= self.min_volume_ml < float("inf"):
            raise SegmentError(f"min_volume_ml {self.min_volume_ml:g}: write a volume in ml, 0 or more")
        if not 0 <= self.overlap < 1:
            raise SegmentError(f"overlap {self.overlap:g}: write a share from 0 to below 1")
        device = self.torch_device() if self.device != AUTO else None
        if self.precision != AUTO:
            _check_precision(device or best_device(), self.precision)

    def torch_device(self) -> torch.device:
        """Return the device on which a checkpoint from disk is loaded. Raises SegmentError if it cannot be used."""
        import torch

        try:
            device = best_device() if self.device == AUTO else torch.device(self.device)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise SegmentError(f"--device {self.device}: no such device here ({reason}); --device cpu is") from error
        return device

    @property
    def threshold_logit(self) -> float:
        """The logit above which a voxel belongs to a prompt."""
        return _logit(self.threshold)

    @property
    def presence_logit(self) -> float:
        """The presence logit below which a prompt has no voxel."""
        return _logit(self.presence_threshold)


DEFAULT_OPTIONS = SegmentOptions()


def precision_named(name: str) -> Precision:
    """Return a precision by its name. Raises SegmentError with the names that there are."""
    from train.loop.precision import Precision

    precisions: tuple[Precision, ...] = get_args(Precision)
    for precision in precisions:
        if precision == name:
            return precision
    raise SegmentError(f"--precision {name}: {', '.join(precisions)}")


def uneven_slices_named(name: str) -> UnevenSlices:
    """Return what to do with uneven slices, by its name. Raises SegmentError with the names that there are."""
    if name == "refuse":
        return "refuse"
    if name == "resample":
        return "resample"
    raise SegmentError(f"--uneven-slices {name}: refuse or resample")


def best_device() -> torch.device:
    """Return the accelerator, or the CPU if there is none."""
    import torch

    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return accelerator or torch.device("cpu")


def _logit(probability: float) -> float:
    """Return the logit of a probability, infinite for 0 and 1."""
    import torch

    return float(torch.logit(torch.tensor(probability, dtype=torch.float64)))


def _check_precision(device: torch.device, name: str) -> None:
    from train.loop.precision import dtype_for

    precision = precision_named(name)
    try:
        dtype_for(device, precision)
    except ValueError as error:
        raise SegmentError(f"--precision {name}: {error}") from error
