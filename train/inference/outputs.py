"""Result -> files: which files a segmentation becomes, whether they may be written, and writing all of them or none.

    mask.nii.gz            every prompt in one label map; --separate: a folder with NAME.nii.gz for each prompt instead
    mask.json              the label table; written last, so that what it stands beside is complete
    mask.png               --preview
    mask.dcm               --dicom-seg, or --out mask.dcm, which then stands for the label map
    mask_probabilities/    --probabilities, NAME.nii.gz for each prompt

In a folder of separate masks the last four are called the same, and lie in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curation.runtime.files import put_in_place
from train.scans.saving import save_nifti
from train.scans.scan import Scan

from .dicom_seg import check_is_series, write_dicom_seg
from .errors import SegmentError
from .label_table import LabelTable
from .own_outputs import is_own_output
from .preview import draw_preview
from .prompts import SegmentPrompt
from .result import SegmentationResult

LABEL_MAPS = (".nii.gz", ".nii")
ENDINGS = (*LABEL_MAPS, ".dcm")
LONGEST_NAME = 100


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

    def __post_init__(self) -> None:
        ending = _ending(self.out)
        if self.separate and ending:
            raise SegmentError(f"--separate writes a folder of masks: --out {self._stem}, not {self.out}")
        if not self.separate and not ending:
            raise SegmentError(f"--out {self.out}: a mask ends in {', '.join(ENDINGS)}; --separate writes a folder")

    @property
    def table(self) -> Path:
        """The path of the label table."""
        return self._beside(".json")

    @property
    def dicom(self) -> Path | None:
        """The path of the DICOM SEG, None if none is to be written."""
        return self._beside(".dcm") if self.dicom_seg or _ending(self.out) == ".dcm" else None

    @property
    def label_map(self) -> Path | None:
        """The path of the NIfTI file with all labels, None with `separate` and for a DICOM SEG alone."""
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
        yield from (path for path in (self.label_map, self.dicom) if path)
        yield from self.masks(prompts).values()
        yield from self.probability_maps(prompts).values()
        if self.preview:
            yield self._beside(".png")
        yield self.table

    def main_paths(self) -> list[Path]:
        """Return the paths to print: files, and folders for the files in them."""
        folder = [self._beside("_probabilities")] if self.probabilities else []
        return [self.out, *folder, *(path for path in self.files(()) if path != self.out)]

    def prepare(self, scan: Path, prompts: Iterable[SegmentPrompt]) -> None:
        """Make the folders.

        Raises SegmentError if a file is there and not to be overwritten, or was made by no run, or cannot be written.
        A run that was killed while its files got their names has left no table, and may be made again.
        """
        unfinished = not self.table.exists()
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

    def check_scan(self, scan: Scan) -> None:
        """Raise SegmentError if one of the files cannot be written for this scan."""
        if self.dicom:
            check_is_series(scan)

    def write(self, result: SegmentationResult) -> list[str]:
        """Write all files, or none if one fails. Returns warnings about them."""
        prompts, scan, warning = [SegmentPrompt(row.name, row.prompt) for row in result.table], result.scan, None
        with _all_or_none() as staged:
            if self.label_map:
                result.save(staged(self.label_map))
            for name, path in self.masks(prompts).items():
                row = result.row(name).model_copy(update={"label": 1})
                record = result.record.model_copy(update={"labels": (row,)})
                save_nifti(staged(path), result.mask(name), scan.affine, like=scan, extension=record.json_bytes())
            for name, path in self.probability_maps(prompts).items():
                save_nifti(staged(path), result.probability(name), scan.affine, like=scan)
            if self.dicom:
                warning = write_dicom_seg(result, staged(self.dicom))
            if self.preview:
                draw_preview(result, staged(self._beside(".png")))
            staged(self.table).write_bytes(result.record.json_bytes())
        return [f"{self.dicom}: {warning}"] if warning else []

    def finished(self, prompts: Iterable[SegmentPrompt]) -> LabelTable | None:
        """Return the table of an earlier run whose files are all there, else None.

        Raises SegmentError if the table cannot be read.
        """
        if not all(path.exists() for path in self.files(prompts)):
            return None
        try:
            return LabelTable.model_validate_json(self.table.read_bytes())
        except ValueError as error:
            raise SegmentError(f"{self.table} is no label table of this version: say --overwrite") from error

    @property
    def _stem(self) -> Path:
        name = self.out.name
        return self.out.with_name(name[: len(name) - len(_ending(self.out) or "")])

    def _beside(self, ending: str) -> Path:
        return self.out / f"mask{ending}" if self.separate else self._stem.with_name(self._stem.name + ending)


@contextmanager
def _all_or_none() -> Iterator[Callable[[Path], Path]]:
    """Write files under temporary names; at the end all get their own, in order, or none does.

    Yields a function that takes a file's path and returns the temporary one to write to.
    """
    written: dict[Path, Path] = {}

    def staged(path: Path) -> Path:
        written[path] = path.with_name(f".tmp-{path.name}")
        path.parent.mkdir(exist_ok=True)
        return written[path]

    try:
        yield staged
        for path, temporary in written.items():
            put_in_place(temporary, path)
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)


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
