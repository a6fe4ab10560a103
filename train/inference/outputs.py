"""Result -> files: which files a segmentation becomes, whether they may be written, and writing each for itself.

    mask.nii.gz            every prompt in one label map; --separate: a folder with NAME.nii.gz for each prompt instead
    mask.seg.nrrd          --out mask.seg.nrrd, which then stands for the label map
    mask.json              the label table; written last, so that what it stands beside is complete
    mask.png               --preview
    mask.dcm               --dicom-seg, or --out mask.dcm, which then stands for the label map
    mask.rtstruct.dcm      --rtstruct
    mask.ctbl, mask.itksnap.txt   --label-files: names and colours for 3D Slicer and ITK-SNAP
    mask_probabilities/    --probabilities, NAME.nii.gz for each prompt

In a folder of separate masks the table, the picture, the DICOM objects and the probabilities are called the same, and
lie in it. Files get their names when all are written; one that fails leaves the others, and the table names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from curation.runtime.files import named_in_errors, put_in_place
from train.scans.scan import Scan

from .errors import SegmentError
from .files.dicom_seg import check_dicom_seg, write_dicom_seg
from .files.label_names import write_itksnap_labels, write_slicer_colours
from .files.preview import draw_preview
from .files.rtstruct import check_rtstruct, write_rtstruct
from .files.seg_nrrd import write_seg_nrrd
from .files.upright import tilt_degrees
from .label_table import LabelTable
from .own_outputs import is_own_output
from .prompts import SegmentPrompt
from .result import SegmentationResult

LABEL_MAPS = (".nii.gz", ".nii", ".seg.nrrd")
ENDINGS = (*LABEL_MAPS, ".dcm")
LONGEST_NAME = 100

Writer = Callable[[Path], Sequence[str] | None]


@dataclass(frozen=True)
class Outputs:
    """What to write for one scan; `out` is a file, or a folder with `separate`.

    Raises SegmentError for an `out` that is neither.
    """

    out: Path
    separate: bool = False
    probabilities: bool = False
    preview: bool = False
    dicom_seg: bool = False
    overwrite: bool = False
    label_files: bool = False
    upright: bool = False
    rtstruct: bool = False

    def __post_init__(self) -> None:
        ending = _ending(self.out)
        if self.separate and ending:
            raise SegmentError(f"--separate writes a folder of masks: --out {self._stem}, not {self.out}")
        if not self.separate and not ending:
            raise SegmentError(f"--out {self.out}: a mask ends in {', '.join(ENDINGS)}; --separate writes a folder")
        if self.label_files and self.label_map is None:
            raise SegmentError(f"--label-files goes with one label map: --out mask.nii.gz, not {self.out}")

    @property
    def table(self) -> Path:
        """The path of the label table."""
        return self._beside(".json")

    @property
    def dicom(self) -> Path | None:
        """The path of the DICOM SEG, None if none is to be written."""
        return self._beside(".dcm") if self.dicom_seg or _ending(self.out) == ".dcm" else None

    @property
    def structure_set(self) -> Path | None:
        """The path of the RTSTRUCT, None if none is to be written."""
        return self._beside(".rtstruct.dcm") if self.rtstruct else None

    @property
    def label_map(self) -> Path | None:
        """The path of the file with all labels, NIfTI or .seg.nrrd, None with `separate` and for a DICOM SEG alone."""
        return self.out if _ending(self.out) in LABEL_MAPS else None

    def masks(self, prompts: Iterable[SegmentPrompt]) -> dict[str, Path]:
        """Return the file of each prompt's mask, by its name; empty without `separate`."""
        return _files(self.out, prompts) if self.separate else {}

    def probability_maps(self, prompts: Iterable[SegmentPrompt]) -> dict[str, Path]:
        """Return the file of each prompt's probabilities, by its name; empty without `probabilities`."""
        return _files(self._beside("_probabilities"), prompts) if self.probabilities else {}

    def files(self, prompts: Iterable[SegmentPrompt]) -> Iterator[Path]:
        """Yield all files, the table last."""
        prompts = list(prompts)
        yield from (path for path in (self.label_map, self.dicom, self.structure_set) if path)
        yield from self.masks(prompts).values()
        yield from self.probability_maps(prompts).values()
        if self.preview:
            yield self._beside(".png")
        if self.label_files:
            yield from (self._beside(".ctbl"), self._beside(".itksnap.txt"))
        yield self.table

    def main_paths(self) -> list[Path]:
        """Return the paths to print: files, and folders for the files in them."""
        folder = [self._beside("_probabilities")] if self.probabilities else []
        return [self.out, *folder, *(path for path in self.files(()) if path != self.out)]

    def prepare(self, scan: Path, prompts: Iterable[SegmentPrompt]) -> None:
        """Make the folders.

        Raises SegmentError if a file is there and not to be overwritten, or was made by no run, or cannot be written.
        A run that was killed while its files got their names has left no table, one of which a file failed says so in
        it: both may be made again.
        """
        unfinished = self._is_unfinished()
        for path in self.files(prompts):
            if path.exists() and not self.overwrite and not (unfinished and is_own_output(path, self.table)):
                raise SegmentError(f"{path} is there already: name another --out, or say --overwrite")
            if path.is_dir() or (path.exists() and scan.exists() and path.samefile(scan)):
                kind = "a folder" if path.is_dir() else "the scan itself"
                raise SegmentError(f"{path} is {kind}: name another --out")
            if path.exists() and not is_own_output(path, self.table):
                raise SegmentError(
                    f"{path} is there already, and was not written by `ovct segment`: move it away, or name another "
                    "--out"
                )
        folder = self.table.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SegmentError(f"{folder} cannot be made ({error.strerror}): name another --out") from error
        if not os.access(folder, os.W_OK):
            raise SegmentError(f"{folder} cannot be written: name another --out")

    def check_scan(self, scan: Scan, prompts: Sequence[SegmentPrompt]) -> list[str]:
        """Return warnings about the files that this scan gets. Raises SegmentError if one of them cannot be made."""
        checks = ((self.dicom, check_dicom_seg), (self.structure_set, check_rtstruct))
        warnings = [f"{path}: {told}" for path, check in checks if path and (told := check(scan, prompts))]
        tilt = tilt_degrees(scan.affine)
        if tilt and not self.upright and (self.label_map or self.separate):
            warnings.append(
                f"{self.out}: lies on the scan's own grid, whose slices are tilted by {tilt:.3g} degrees: 3D Slicer "
                "and nibabel open that, ITK programs (ITK-SNAP, SimpleITK, nnU-Net) refuse it; --upright writes the "
                "mask on a grid that they open"
            )
        return warnings

    def write(self, result: SegmentationResult) -> tuple[list[str], dict[Path, str]]:
        """Write all files, each for itself. Returns warnings, and the files that failed with the reason.

        Raises OSError, and leaves what was there, if no file but the table can be written.
        """
        warnings: list[str] = []
        failures: dict[Path, str] = {}
        result = replace(result, record=result.record.model_copy(update={"upright": self.upright}))
        with _temporary_files() as staged:
            for path, writer in self._writers(result):
                try:
                    told = writer(staged(path))
                except Exception as error:  # of whatever kind: the other files do not depend on this one
                    failures[path] = _reason(error)
                    if len(failures) == 1:
                        first = error
                else:
                    warnings += [f"{path}: {warning}" for warning in told or ()]
            written = [path for path, _ in self._writers(result) if path not in failures]
            if failures and not written:
                raise first
            failed = tuple(path.name for path in failures)
            record = result.record.model_copy(update={"failed": failed})
            with named_in_errors(self.table):
                staged(self.table).write_bytes(record.json_bytes())
            for path in (*written, self.table):
                put_in_place(staged(path), path)
            for path in failures:
                # What an earlier run has left there belongs to other masks.
                path.unlink(missing_ok=True)
        return warnings, failures

    def _writers(self, result: SegmentationResult) -> Iterator[tuple[Path, Writer]]:
        """Yield each file but the table, in their order, with what writes it to a path and may return warnings."""
        prompts, upright = [SegmentPrompt(row.name, row.prompt) for row in result.table], self.upright
        if self.label_map and _ending(self.label_map) == ".seg.nrrd":
            yield self.label_map, partial(write_seg_nrrd, result, upright=upright)
        elif self.label_map:
            yield self.label_map, partial(result.save, upright=upright)
        if self.dicom:
            yield self.dicom, partial(write_dicom_seg, result)
        if self.structure_set:
            yield self.structure_set, partial(write_rtstruct, result)
        for name, path in self.masks(prompts).items():
            yield path, partial(_save_mask, result, name, upright=upright)
        for name, path in self.probability_maps(prompts).items():
            yield path, partial(_save_probability, result, name, upright=upright)
        if self.preview:
            yield self._beside(".png"), partial(draw_preview, result)
        if self.label_files:
            yield self._beside(".ctbl"), partial(write_slicer_colours, result.table)
            yield self._beside(".itksnap.txt"), partial(write_itksnap_labels, result.table)

    def finished(self, prompts: Iterable[SegmentPrompt]) -> LabelTable | None:
        """Return the table of an earlier run whose files are all there, else None.

        Raises SegmentError if the table cannot be read.
        """
        if not all(path.exists() for path in self.files(prompts)):
            return None
        try:
            table = LabelTable.model_validate_json(self.table.read_bytes())
            return None if table.failed else table
        except ValueError as error:
            raise SegmentError(f"{self.table} is no label table of this version: say --overwrite") from error

    def _is_unfinished(self) -> bool:
        """Return whether an earlier run has left no table, or one that names files which failed."""
        if not self.table.exists():
            return True
        try:
            return bool(LabelTable.model_validate_json(self.table.read_bytes()).failed)
        except (OSError, ValueError):
            return False

    @property
    def _stem(self) -> Path:
        name = self.out.name
        return self.out.with_name(name[: len(name) - len(_ending(self.out) or "")])

    def _beside(self, ending: str) -> Path:
        return self.out / f"mask{ending}" if self.separate else self._stem.with_name(self._stem.name + ending)


@contextmanager
def _temporary_files() -> Iterator[Callable[[Path], Path]]:
    """Yield a function that gives the temporary name of a file to write; what still has one at the end is removed."""
    given: dict[Path, Path] = {}

    def staged(path: Path) -> Path:
        if path not in given:
            given[path] = path.with_name(f".tmp-{path.name}")
            path.parent.mkdir(exist_ok=True)
        return given[path]

    try:
        yield staged
    finally:
        for temporary in given.values():
            temporary.unlink(missing_ok=True)


def _save_mask(result: SegmentationResult, name: str, path: Path, *, upright: bool) -> None:
    row = result.row(name).model_copy(update={"label": 1})
    record = result.record.model_copy(update={"labels": (row,)})
    result.save_array(path, result.mask(name), record, upright=upright)


def _save_probability(result: SegmentationResult, name: str, path: Path, *, upright: bool) -> None:
    result.save_array(path, result.probability(name), upright=upright)


def _reason(error: Exception) -> str:
    """Return why a file could not be written, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, (OSError, SegmentError)) else f"{text} ({type(error).__name__})"


def _ending(path: Path) -> str | None:
    return next((end for end in ENDINGS if path.name.lower().endswith(end) and len(path.name) > len(end)), None)


def _files(folder: Path, prompts: Iterable[SegmentPrompt]) -> dict[str, Path]:
    """Return a file for each name, without characters that a file's name cannot have; the same for the same names."""
    files: dict[str, Path] = {}
    for prompt in prompts:
        plain = re.sub(r"[^\w.-]+", "_", prompt.name).strip("._")[:LONGEST_NAME] or "prompt"
        name, number = plain, 1
        while any(path.name.casefold() == f"{name}.nii.gz".casefold() for path in files.values()):
            number += 1
            name = f"{plain}_{number}"
        files[prompt.name] = folder / f"{name}.nii.gz"
    return files
