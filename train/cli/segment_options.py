"""Options of `ovct segment`, group by group: what is written, whose masks they are, and how they are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.inference.options import DEFAULT_OPTIONS

from .mask_options import MASKS, Device, Precision, PresenceThreshold, Threshold, UnevenSlices

if TYPE_CHECKING:
    from train.inference.outputs import Outputs

OUTPUTS = "What else is written"
ENGINE = "Whose masks"


@dataclass(frozen=True)
class OutputOptions:
    """Which files are written."""

    separate: Annotated[
        bool, typer.Option("--separate", help="A mask for each prompt, in a folder.", rich_help_panel=OUTPUTS)
    ] = False
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="Also each prompt's probabilities, in a folder.", rich_help_panel=OUTPUTS),
    ] = False
    preview: Annotated[
        bool, typer.Option("--preview", help="Also a picture (.png) of three planes.", rich_help_panel=OUTPUTS)
    ] = False
    dicom_seg: Annotated[
        bool, typer.Option("--dicom-seg", help="Also a DICOM SEG, for a DICOM series.", rich_help_panel=OUTPUTS)
    ] = False
    rtstruct: Annotated[
        bool,
        typer.Option(
            "--rtstruct", help="Also a DICOM RTSTRUCT (contours), for a DICOM series.", rich_help_panel=OUTPUTS
        ),
    ] = False
    label_files: Annotated[
        bool,
        typer.Option(
            "--label-files",
            help="Also names and colours of the labels for 3D Slicer (.ctbl) and ITK-SNAP (.itksnap.txt).",
            rich_help_panel=OUTPUTS,
        ),
    ] = False
    upright: Annotated[
        bool,
        typer.Option(
            "--upright",
            help="Masks of a tilted gantry on an upright grid, which ITK programs open, and not on the scan's own.",
            rich_help_panel=OUTPUTS,
        ),
    ] = False

    def outputs(self, out: Path | None, overwrite: bool) -> Outputs:
        """Return what to write to `out`, by default to the current folder."""
        from train.inference.outputs import Outputs

        out = out or Path("masks" if self.separate else "mask.nii.gz")
        return Outputs(
            out,
            self.separate,
            self.probabilities,
            self.preview,
            self.dicom_seg,
            overwrite,
            self.label_files,
            self.upright,
            self.rtstruct,
        )


@dataclass(frozen=True)
class EngineOptions:
    """What makes the masks."""

    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Folder that `ovct train segment` or `pretrain` wrote, or a file of published STU-Net weights "
            "(small_ep4k.model), whose classes the vocabulary finds by name.",
            rich_help_panel=ENGINE,
            show_default=False,
        ),
    ] = None
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="checkpoint, or totalsegmentator: the package of that name, where it is installed.",
            rich_help_panel=ENGINE,
        ),
    ] = "checkpoint"
    fetch_weights: Annotated[
        bool,
        typer.Option(
            "--fetch-weights", help="TotalSegmentator may fetch weights that are not here.", rich_help_panel=ENGINE
        ),
    ] = False


@dataclass(frozen=True)
class MaskOptions:
    """How probabilities become masks, and where they are computed."""

    threshold: Threshold = DEFAULT_OPTIONS.threshold
    presence_threshold: PresenceThreshold = DEFAULT_OPTIONS.presence_threshold
    vocabulary: Annotated[
        bool,
        typer.Option(
            help="Ask for what the anatomy vocabulary knows as another name of a trained structure, or of several, by "
            "their own names; a group's mask is the union.",
            rich_help_panel=MASKS,
        ),
    ] = DEFAULT_OPTIONS.vocabulary
    min_volume: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="ML",
            help="Remove connected parts of a mask that are smaller, in ml.",
            rich_help_panel=MASKS,
        ),
    ] = DEFAULT_OPTIONS.min_volume_ml
    overlap: Annotated[
        float,
        typer.Option(
            min=0, max=0.9, metavar="SHARE", help="Share that neighbouring windows overlap by.", rich_help_panel=MASKS
        ),
    ] = DEFAULT_OPTIONS.overlap
    precision: Precision = DEFAULT_OPTIONS.precision
    uneven_slices: UnevenSlices = DEFAULT_OPTIONS.uneven_slices
    device: Device = DEFAULT_OPTIONS.device
