"""Which files a segmentation becomes, whether they may be written, and writing them, each whole or not at all.

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

from .dicom_seg import refuse_other_scans, write_dicom_seg
from .label_table import LabelTable
from .preview import draw_preview
from .prompts import Prompt, SegmentError
from .segmenting import Segmented

LABEL_MAPS = (".nii.gz", ".nii")
ENDINGS = (*LABEL_MAPS, ".dcm")
LONGEST_NAME = 100


@dataclass(frozen=True)
class Outputs:
    """What is to be written for one scan; `out` is a file, or a folder with `separate`."""

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
        """The label table."""
        return self._beside(".json")

    @property
    def dicom(self) -> Path | None:
        """The DICOM SEG, None where there is to be none."""
        return self._beside(".dcm") if self.dicom_seg or _ending(self.out) == ".dcm" else None

    @property
    def label_map(self) -> Path | None:
        """The NIfTI file with all labels, None with `separate` and for a DICOM SEG alone."""
        return self.out if _ending(self.out) in LABEL_MAPS else None

    def masks(self, prompts: Iterable[Prompt]) -> dict[str, Path]:
        """With `separate`, the file of each prompt's mask, by its name."""
        return _files(self.out, prompts) if self.separate else {}

    def probability_maps(self, prompts: Iterable[Prompt]) -> dict[str, Path]:
        """The file of each prompt's probabilities, by its name, where they are wanted."""
        return _files(self._beside("_probabilities"), prompts) if self.probabilities else {}

    def files(self, prompts: Iterable[Prompt]) -> Iterator[Path]:
        """All that is written, the table last."""
        prompts = list(prompts)
        yield from (path for path in (self.label_map, self.dicom) if path)
        yield from self.masks(prompts).values()
        yield from self.probability_maps(prompts).values()
        if self.preview:
            yield self._beside(".png")
        yield self.table

    def shown(self) -> list[Path]:
        """What to tell a person of: files, and folders for the files in them."""
        folder = [self._beside("_probabilities")] if self.probabilities else []
        return [self.out, *folder, *(path for path in self.files(()) if path != self.out)]

    def prepare(self, scan: Path, prompts: Iterable[Prompt]) -> None:
        """Make the folders. SegmentError where a file is there and not to be overwritten, or cannot be written."""
        for path in self.files(prompts):
            if path.exists() and not self.overwrite:
                raise SegmentError(f"{path} is there already: name another --out, or say --overwrite")
            if path.is_dir() or (path.exists() and scan.exists() and path.samefile(scan)):
                kind = "a folder" if path.is_dir() else "the scan itself"
                raise SegmentError(f"{path} is {kind}: name another --out")
        folder = self.table.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SegmentError(f"{folder} cannot be made ({error.strerror}): name another --out") from error
        if not os.access(folder, os.W_OK):
            raise SegmentError(f"{folder} cannot be written: name another --out")

    def suit(self, scan: Scan) -> None:
        """SegmentError where a scan cannot have what is wanted of it."""
        if self.dicom:
            refuse_other_scans(scan)

    def write(self, found: Segmented) -> list[str]:
        """Write all files; returns what a person should know of them."""
        prompts, scan, said = [Prompt(row.name, row.prompt) for row in found.table], found.scan, None
        with _all_or_none() as staged:
            if self.label_map:
                found.save(staged(self.label_map))
            for name, path in self.masks(prompts).items():
                own = found.record.model_copy(update={"labels": (found.row(name).model_copy(update={"label": 1}),)})
                save_nifti(staged(path), found.mask(name), scan.affine, like=scan, extension=own.json_bytes())
            for name, path in self.probability_maps(prompts).items():
                save_nifti(staged(path), found.probability(name), scan.affine, like=scan)
            if self.dicom:
                said = write_dicom_seg(found, staged(self.dicom))
            if self.preview:
                draw_preview(found, staged(self._beside(".png")))
            staged(self.table).write_bytes(found.record.json_bytes())
        return [f"{self.dicom}: {said}"] if said else []

    def finished(self, prompts: Iterable[Prompt]) -> LabelTable | None:
        """The table of an earlier run whose files are all there, else None. SegmentError where it cannot be read."""
        if not all(path.exists() for path in self.files(prompts)):
            return None
        try:
            return LabelTable.model_validate_json(self.table.read_bytes())
        except ValueError as error:
            raise SegmentError(f"{self.table} is no label table of this version: say --overwrite") from error

    @property
    def _stem(self) -> Path:
        return self.out.with_name(self.out.name.removesuffix(_ending(self.out) or ""))

    def _beside(self, ending: str) -> Path:
        return self.out / f"mask{ending}" if self.separate else self._stem.with_name(self._stem.name + ending)


@contextmanager
def _all_or_none() -> Iterator[Callable[[Path], Path]]:
    """Gives each file another name while it is written; all get their own at the end, in order, or none does."""
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


def _files(folder: Path, prompts: Iterable[Prompt]) -> dict[str, Path]:
    """A file for each name, without signs that a file's name cannot have; the same for the same names."""
    files: dict[str, Path] = {}
    for asked in prompts:
        plain = re.sub(r"[^\w.-]+", "_", asked.name).strip("._")[:LONGEST_NAME] or "prompt"
        name, number = plain, 1
        while any(path.name.casefold() == f"{name}.nii.gz".casefold() for path in files.values()):
            number += 1
            name = f"{plain}_{number}"
        files[asked.name] = folder / f"{name}.nii.gz"
    return files
