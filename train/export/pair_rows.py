"""What an export says of each pair of a volume and a report: names, texts, captions with their sections."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from curation.caption_set.manifest import is_caption_set, load_manifest
from curation.caption_set.set_files import part_path
from train.data.caption_pairs import CaptionPair, CaptionPairs
from train.data.volume_names import VOLUME_SUFFIXES

TextChoice = Literal["captions", "report"]
Sections = Mapping[str, Mapping[tuple[str, str], str]]
"""Report id -> organ and caption -> section of the report."""


@dataclass(frozen=True)
class PairRow:
    """A volume with its report. ``key`` names it in files: letters, digits, '-' and '_', and no two are alike."""

    key: str
    pair: CaptionPair
    sections: Mapping[tuple[str, str], str]

    @property
    def image(self) -> str:
        """Return the whole path of the volume."""
        return str(self.pair.case.image.absolute())

    @property
    def suffix(self) -> str:
        """Return the ending of the volume's name, such as ``.nii.gz``."""
        name = self.pair.case.image.name.lower()
        return next((suffix for suffix in VOLUME_SUFFIXES if name.endswith(suffix)), "")

    def captions(self) -> list[dict[str, str]]:
        """Return the captions with organ, status and section; fields that the source does not say are left out."""
        rows = []
        for organ, caption, status in self.pair.captions:
            section = self.sections.get((organ, caption), "")
            row = {"organ": organ, "caption": caption, "status": status, "section": section}
            rows.append({name: value for name, value in row.items() if value or name == "caption"})
        return rows

    def texts(self, choice: TextChoice) -> list[str]:
        """Return what stands beside the volume: each caption, or the report's text alone."""
        if choice == "report":
            return [self.pair.text]
        return list(dict.fromkeys(caption.caption for caption in self.pair.captions))

    def names(self) -> dict[str, Any]:
        """Return the ids of report, volume, scan and patient, and the split where the data set has one."""
        case = self.pair.case
        names = {"report_id": self.pair.report_id, "volume": case.id, "scan": case.scan, "patient": case.patient}
        return names | ({"split": case.split} if case.split else {})


def pair_rows(captions: Path, pairs: CaptionPairs) -> list[PairRow]:
    """Return all pairs, in the order of the reports. The sections are read from the set; other sources have none."""
    sections = _sections(captions) if captions.is_dir() and is_caption_set(captions) else {}
    keys = _keys(pairs)
    return [PairRow(next(keys), pair, sections.get(pair.report_id, {})) for pair in pairs.pairs]


def _sections(root: Path) -> Sections:
    found: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    columns = ["report_id", "organ", "caption", "section"]
    for index in range(len(load_manifest(root).parts)):
        table = pq.read_table(part_path(root, "captions", index), columns=columns)
        for report_id, organ, caption, section in zip(*(one.to_pylist() for one in table.columns), strict=True):
            if section:
                found[report_id].setdefault((organ, caption), section)
    return found


def _keys(pairs: CaptionPairs) -> Iterator[str]:
    """Yield a key for each pair: the volume's id, numbered where another pair has the same."""
    used = set[str]()
    for pair in pairs.pairs:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", pair.case.id)[-80:] or "volume"
        key, number = stem, 1
        while key in used:
            number += 1
            key = f"{stem}-{number}"
        used.add(key)
        yield key
