"""Labels of findings in a CSV file, in CT-RATE's form: a column VolumeName, and one of 0 and 1 for each finding."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from train.data.cases import Case
from train.data.volume_names import volume_stem

from ..record import EvaluationError

VOLUME_COLUMN = "VolumeName"
VALUES: Mapping[str, bool] = {"0": False, "1": True, "0.0": False, "1.0": True}


@dataclass(frozen=True)
class FindingLabels:
    """The findings of a file, and which of them each volume has, by the volume's name without its ending."""

    path: Path
    findings: tuple[str, ...]
    by_volume: Mapping[str, tuple[bool, ...]]

    def of(self, case: Case) -> tuple[bool, ...] | None:
        """Return the labels of a case, by its id or the name of its file; None where it has no row."""
        names = (case.id, volume_stem(case.id), volume_stem(case.image.name))
        return next((self.by_volume[name] for name in names if name in self.by_volume), None)

    def of_all(self, cases: Sequence[Case]) -> list[tuple[bool, ...]]:
        """Return the labels of cases. Raises EvaluationError where some have none; it names the first."""
        rows = [self.of(case) for case in cases]
        missing = [case.id for case, row in zip(cases, rows, strict=True) if row is None]
        if missing:
            raise EvaluationError(
                f"{self.path} has no row for {len(missing):,} of {len(cases):,} cases, the first is {missing[0]!r}; "
                f"its column {VOLUME_COLUMN} has names such as {next(iter(self.by_volume))!r}. Add them, or take other "
                "cases with --split or --limit"
            )
        return [row for row in rows if row is not None]


def read_labels_file(path: Path, known: Collection[str]) -> FindingLabels:
    """Read a file of labels; `known` are the findings that have prompts.

    Raises EvaluationError, which names file, row, column and value: a column that is no finding, a value that is
    neither 0 nor 1, a volume twice, a row of another length, or no rows.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [name.strip() for name in next(rows, [])]
            findings = _findings(path, header, known)
            by_volume: dict[str, tuple[bool, ...]] = {}
            for line, volume, values in _rows(path, header, rows):
                if by_volume.setdefault(volume, values) is not values:
                    raise EvaluationError(f"{path}, row {line}: {volume!r} stands in an earlier row too; keep one")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"--findings {path}: {error}; expected a CSV file in UTF-8") from error
    if not by_volume:
        raise EvaluationError(f"{path} has no rows below its header")
    return FindingLabels(path, findings, by_volume)


def _findings(path: Path, header: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    if VOLUME_COLUMN not in header:
        raise EvaluationError(f"{path} has no column {VOLUME_COLUMN}; it has {', '.join(map(repr, header)) or 'none'}")
    findings = tuple(name for name in header if name != VOLUME_COLUMN)
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise EvaluationError(f"{path} has two columns {twice[0]!r}; keep one")
    if not findings:
        raise EvaluationError(f"{path} has no column but {VOLUME_COLUMN}: each finding is one, with 0 and 1")
    for name in findings:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f" (near it: {', '.join(map(repr, near))})" if near else ""
            raise EvaluationError(
                f"{path}: no prompts for the column {name!r}{hint}; take it out, or give its organ and prompts with "
                "--finding-prompts FILE"
            )
    return findings


def _rows(path: Path, header: Sequence[str], rows: Iterator[list[str]]) -> Iterator[tuple[int, str, tuple[bool, ...]]]:
    """Yield the number of a row in the file, its volume and its labels; blank rows are passed over."""
    for line, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise EvaluationError(f"{path}, row {line}: {len(cells)} values for {len(header)} columns")
        volume, values = "", []
        for name, cell in zip(header, cells, strict=True):
            if name == VOLUME_COLUMN:
                volume = volume_stem(cell)
            elif (value := VALUES.get(cell.strip())) is None:
                raise EvaluationError(f"{path}, row {line}, column {name!r}: {cell!r} is neither 0 nor 1")
            else:
                values.append(value)
        if not volume:
            raise EvaluationError(f"{path}, row {line}: no name in the column {VOLUME_COLUMN}")
        yield line, volume, tuple(values)
