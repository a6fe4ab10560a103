"""A CT scan and prompts to masks on the scan's own grid: the call behind `ovct segment`, and the one to use in Python.

    found = segment("ct.nii.gz", ["left kidney", "renal organ"], "checkpoints/segment")
    found.labels, found.table, found.mask("renal organ")
    found.save(Path("mask.nii.gz"))

Shapes: P prompts, X Y Z voxels of the scan, D H W of the network's grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from models.architecture import Architecture
from models.checkpoint import Checkpoint, load_checkpoint, read_record
from models.checkpoint_record import Kind, Record
from models.inference import Precision
from models.segmenter import TextSegmenter
from train.data.structure_prompts import PromptBook
from train.scans.grid import to_network
from train.scans.saving import save_nifti
from train.scans.scan import Scan, read_scan

from .label_table import LabelTable, Row, rows
from .logit_field import LogitField, logit_field
from .painting import Canvas, Claims, depths, overlaps
from .prompts import Prompt, SegmentError, checked_prompts, known_as, refuse_long
from .windows import Windows, logit_of

WINDOW = 128
_INSTEAD: dict[Kind, str] = {
    "stunet": "an image encoder without text (`ovct train pretrain`)",
    "aligner": "an image and a text encoder without a decoder (`ovct train align`)",
}


class Asking(NamedTuple):
    """Probabilities: a voxel belongs to a prompt above the one, a prompt is present from the other on.

    `vocabulary`: whether prompts may be asked in other words that the vocabulary knows.
    """

    voxel: float
    presence: float
    vocabulary: bool = True

    def checked(self) -> Self:
        """Itself; SegmentError where one is no probability."""
        for name, value in (("threshold", self.voxel), ("presence_threshold", self.presence)):
            if not 0 <= value <= 1:
                raise SegmentError(f"{name} {value:g}: write a probability from 0 to 1")
        return self


@dataclass(frozen=True, eq=False)
class Segmented:
    """`labels` (X, Y, Z), uint8 or int16: 0, or the `label` of a row of `table`; see `train.inference.painting` for
    overlaps.

    `mask` and `probability` give each prompt's own, whatever the others are.
    """

    scan: Scan
    labels: np.ndarray
    record: LabelTable
    field: LogitField
    claims: Claims

    @property
    def table(self) -> tuple[Row, ...]:
        """A row for each prompt, in the order of their labels."""
        return self.record.labels

    @property
    def names(self) -> tuple[str, ...]:
        """Of the prompts, in the order of their labels, which count from 1."""
        return tuple(row.name for row in self.table)

    def row(self, prompt: str) -> Row:
        """That of a prompt, by its name or its text; KeyError for another."""
        wanted = " ".join(prompt.split())
        named = [row for row in self.table if row.name == wanted] or [row for row in self.table if row.prompt == wanted]
        if named:
            return named[0]
        raise KeyError(f"{prompt!r} was not asked for; there are {', '.join(self.names)}")

    def mask(self, prompt: str) -> np.ndarray:
        """The prompt's own mask (X, Y, Z), bool, also where the label map shows another structure."""
        label = self.row(prompt).label
        mask = np.ascontiguousarray(self.labels == label)
        mask.reshape(-1)[self.claims.of(label)] = True
        return mask

    def probability(self, prompt: str) -> np.ndarray:
        """The prompt's probability in each voxel (X, Y, Z), float32, whether or not it is judged present."""
        field = self.field.of_one(self.row(prompt).label - 1)
        found = np.empty(self.labels.shape, np.float32)
        for part, logits in field.slabs():
            found[..., part] = logits[0].sigmoid().view(*found.shape[:2], -1).numpy()
        return found

    def save(self, path: Path | str) -> None:
        """The label map as NIfTI on the scan's grid, .nii or .nii.gz, with the table in its header extension."""
        extension = self.record.json_bytes()
        save_nifti(Path(path), self.labels, self.scan.affine, like=self.scan, extension=extension)


def segment(
    volume: Scan | Path | str,
    prompts: Iterable[str | Prompt] | Mapping[str, str],
    checkpoint: Checkpoint | Path | str,
    *,
    threshold: float = 0.5,
    presence_threshold: float = 0.5,
    device: torch.device | str | None = None,
    precision: Precision = "auto",
    overlap: float = 0.5,
    windows: Windows | None = None,
    progress: Progress | None = None,
    vocabulary: bool = True,
) -> Segmented:
    """Segments a scan by free text, prompts as texts or as name -> text.

    With `vocabulary`, a prompt that the anatomy vocabulary knows as another name of a structure of the training, or of
    a group of such, is asked by these structures' own names, and a group's mask is the union; the table's warnings say
    so. Without it, and for any other prompt, the model is asked in the words that were given.

    A voxel belongs to a prompt above `threshold`, and a prompt that is present with less than `presence_threshold` has
    no voxel; both are probabilities. `windows` (D, H, W on the network's grid) are those of the training where the
    checkpoint records it, else 128 voxels wide or as large as the volume, and share `overlap` with each neighbour.
    `device` None takes the accelerator there is. `progress` counts windows, and may stop the run.

    Raises ScanError, CheckpointError, SegmentError, FieldError and TextEncoderError for what cannot be used as it is.
    """
    limits = Asking(threshold, presence_threshold, vocabulary).checked()
    asked = checked_prompts(prompts)
    model, record = text_segmenter(checkpoint, device)
    book = PromptBook.recorded(record.trained_on) if vocabulary else None
    meant = [known_as(one.text, book) for one in asked]
    texts = list(dict.fromkeys(text for each in meant for text in each))
    embeddings = _embedded(model, asked, texts)
    scan = volume if isinstance(volume, Scan) else read_scan(Path(volume))
    tensor, grid = to_network(scan, record.preprocessing)
    windows = windows or Windows(window_size(record, grid.shape), overlap, precision=precision)
    field = logit_field(model, tensor, grid, embeddings, windows, progress)
    del tensor
    united = field.united([tuple(map(texts.index, each)) for each in meant], logit_of(limits.presence))
    told = replace(scan, warnings=(*scan.warnings, *_taken_as(asked, meant)))
    return painted(told, united, asked, limits, record.weights, progress)


def text_segmenter(
    checkpoint: Checkpoint | Path | str, device: torch.device | str | None = None
) -> tuple[TextSegmenter, Record]:
    """A checkpoint's model on `device`, and its record; SegmentError where it is no text-guided segmenter.

    `device` None: where a loaded model is, or the accelerator there is for one that is on disk.
    """
    where = str(checkpoint) if isinstance(checkpoint, (str, Path)) else "this checkpoint"
    record = read_record(checkpoint) if isinstance(checkpoint, (str, Path)) else checkpoint.record
    if record.kind != "segmenter":
        raise SegmentError(
            f"{where} is {_INSTEAD[record.kind]}: it cannot segment by text yet; "
            f"`ovct train segment DATASET` makes a checkpoint that can"
        )
    if isinstance(checkpoint, (str, Path)):
        checkpoint = load_checkpoint(checkpoint, device or best_device())
    model = checkpoint.model
    assert isinstance(model, TextSegmenter)
    return (model if device is None else model.to(device)), record


def best_device() -> torch.device:
    """The accelerator, or the CPU where there is none."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found or torch.device("cpu")


def window_size(record: Record, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The patch that the checkpoint was trained on where it is recorded, else 128 voxels, and no more than it takes to
    hold a volume of `shape`.
    """
    architecture = Architecture(record.image.depth, record.image.dims, record.image.strides)
    patch = record.trained_on[-1].get("patch") if record.trained_on else None
    if isinstance(patch, list) and len(patch) == 3:
        deep, high, wide = (int(str(size)) for size in patch)
        return architecture.next_patch((deep, high, wide))
    fits = architecture.next_patch(shape)
    usual = architecture.next_patch((WINDOW, WINDOW, WINDOW))
    deep, high, wide = (min(pair) for pair in zip(fits, usual, strict=True))
    return deep, high, wide


@torch.no_grad()
def painted(
    scan: Scan,
    field: LogitField,
    prompts: tuple[Prompt, ...],
    limits: Asking,
    weights: str,
    progress: Progress | None = None,
) -> Segmented:
    """What a field says of each prompt at each voxel of the scan: label map, table, and what the label map hides."""
    presence = field.presence.sigmoid()
    present = presence >= limits.presence
    there, least = present.nonzero()[:, 0], logit_of(limits.voxel)
    canvas = Canvas.blank(scan, len(prompts), there)
    shared = torch.zeros(len(prompts), len(prompts), dtype=torch.float64)
    if len(there):
        among = overlaps(field.own_slabs(there), len(there), least)
        shared[there[:, None], there] = among
        canvas.paint(field, there, depths(among), least, progress or Progress())
    ml = float(abs(np.linalg.det(scan.affine[:3, :3]))) / 1000
    record = LabelTable(
        scan=str(scan.path),
        weights=weights,
        threshold=limits.voxel,
        presence_threshold=limits.presence,
        vocabulary=limits.vocabulary,
        warnings=scan.warnings,
        labels=rows(prompts, presence.numpy(), present.numpy(), canvas.sums, shared.numpy(), ml),
    )
    return Segmented(scan, canvas.labels, record, field, canvas.claims)


def _taken_as(prompts: tuple[Prompt, ...], meant: Sequence[tuple[str, ...]]) -> list[str]:
    others = [(one.text, each) for one, each in zip(prompts, meant, strict=True) if each != (one.text,)]
    return [f"{text!r} was taken as {' + '.join(each)}, as the anatomy vocabulary has it" for text, each in others]


def _embedded(model: TextSegmenter, prompts: tuple[Prompt, ...], texts: list[str]) -> Tensor:
    if model.text is None:
        raise SegmentError(
            "this checkpoint has no text encoder: save it with one (`save_checkpoint` of the whole model)"
        )
    refuse_long(prompts, model.text)
    return model.text.encode(texts)
