"""Reports and captions joined with the volumes they speak of: what contrastive training draws from."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .caption_sources import OrganCaption, Reported, Source, read_source
from .cases import Case, DataError, DataSet
from .volume_names import ENDINGS, patient_and_scan, stem

# How many of the reports and volumes that were not joined are named.
NAMED = 5
# Parts of a path, its last ones, by which volumes that have moved are known.
LONGEST_TAIL = 4


@dataclass(frozen=True)
class Pair:
    """One volume with the report on it."""

    case: Case
    report_id: str
    text: str
    captions: tuple[OrganCaption, ...]


@dataclass(frozen=True)
class Pairs:
    """All pairs, in the order of the reports, and what was left without a partner.

    `dataset` holds the volumes, those without a report too: `split_cases` splits them by patient. `ambiguous`: reports
    whose name several volumes have.
    """

    source: Source
    dataset: DataSet
    pairs: tuple[Pair, ...]
    reports_without_volume: tuple[str, ...]
    volumes_without_report: tuple[str, ...]
    ambiguous: tuple[str, ...]

    def summary(self) -> list[str]:
        """Sentences for a person: how many were joined, and the first of those that were not."""
        volumes = {pair.case.id for pair in self.pairs}
        captions = sum(len(pair.captions) for pair in self.pairs)
        lines = [f"{len(self.pairs):,} reports with {captions:,} captions joined with {len(volumes):,} volumes"]
        for names, what in (
            (self.reports_without_volume, "reports without a volume"),
            (self.volumes_without_report, "volumes without a report"),
            (self.ambiguous, "reports whose name several volumes have (name them by their path)"),
        ):
            if names:
                lines.append(f"{len(names):,} {what}: {_first(names)}")
        return [*lines, *self.source.warnings]

    def of(self, cases: Iterable[Case]) -> list[Pair]:
        """The pairs of these cases, such as those of one split."""
        wanted = {case.id for case in cases}
        return [pair for pair in self.pairs if pair.case.id in wanted]


def read_pairs(captions: Path, dataset: DataSet | None = None) -> Pairs:
    """Join a caption set, or a JSON of organ captions, with a data set's volumes.

    A report is joined by a source column that names its volume (`image`, `VolumeName` …), else by its id: by path (from
    the caption set's folder, the one around it or the working directory), by the case's id, by the name of the file
    with or without ending, or, for a scan's name such as `train_1_a`, with all reconstructions of it. Without a
    `dataset` the volumes are those whose paths the reports name.

    Raises:
        DataError: nothing could be joined; it shows a report's id and a volume's name.
    """
    source, reports = read_source(captions)
    dataset = dataset or _named_volumes(source, reports)
    names = _Names(dataset, reports, _bases(source.path))
    pairs, missing, ambiguous = list[Pair](), list[str](), list[str]()
    for report in reports:
        found = names.find(report.names)
        if found:
            pairs += (Pair(case, report.report_id, report.text, report.captions) for case in found)
        else:
            (missing if found is None else ambiguous).append(report.report_id)
    joined = {pair.case.id for pair in pairs}
    without = tuple(case.id for case in dataset.cases if case.id not in joined)
    if not pairs:
        raise DataError(_nothing_joined(source, reports[0], dataset, ambiguous))
    return Pairs(source, dataset, tuple(pairs), tuple(missing), without, tuple(ambiguous))


class _Names:
    """Cases by whatever may name them. A file's name alone counts only where it is that of one volume: `ct` is none."""

    def __init__(self, dataset: DataSet, reports: Sequence[Reported], bases: Sequence[Path]) -> None:
        self._bases = [*bases, dataset.root]
        self._by_path = {case.image.resolve(): case for case in dataset.cases}
        self._by_id = {case.id: case for case in dataset.cases}
        self._by_name: dict[str, dict[str, Case]] = defaultdict(dict)
        self._by_scan: dict[str, list[Case]] = defaultdict(list)
        for case in dataset.cases:
            for name in (stem(case.image.name), stem(case.id), *_tails(case.image)):
                self._by_name[name][case.id] = case
            self._by_scan[case.scan].append(case)
        folders: dict[str, set[str]] = defaultdict(set)
        for tail in {_tails(Path(name))[0] for report in reports for name in report.names if _has_folder(name)}:
            folders[tail.rsplit("/")[-1]].add(tail)
        self._common = {name for name, tails in folders.items() if len(tails) > 1}

    def find(self, names: Sequence[str]) -> list[Case] | None:
        """The cases that the first fitting name means; none where it means several volumes, None without any."""
        several = False
        for name in names:
            path = _path(name, self._bases) if _has_folder(name) else None
            case = self._by_id.get(name) or (path and self._by_path.get(path.resolve()))
            if case:
                return [case]
            for key in (*reversed(_tails(Path(name))), stem(name)):
                found = self._by_name.get(key, {})
                if len(found) == 1 and key not in self._common:
                    return list(found.values())
                several = several or len(found) > 1
            if found_scan := self._by_scan.get(stem(name)):
                return found_scan
        return [] if several else None


def _tails(path: Path) -> list[str]:
    """The ends of a path without ending, two to four parts, shortest first: `a/b/ct.nii.gz` -> `b/ct`, `a/b/ct`."""
    parts = [*(part for part in path.parent.parts if part not in (".", path.anchor)), stem(path.name)]
    return ["/".join(parts[-length:]) for length in range(2, min(len(parts), LONGEST_TAIL) + 1)]


def _has_folder(name: str) -> bool:
    return len([part for part in re.split(r"[/\\]", name) if part not in ("", ".")]) > 1


def _path(name: str, bases: Sequence[Path]) -> Path | None:
    """The file, or the folder of a series, that `name` is a path of, seen from each of `bases`."""
    if not (name.lower().endswith(ENDINGS) or _has_folder(name)) or len(name) > 4096 or "\n" in name:
        return None
    places = [base / name.replace("\\", "/") for base in bases]
    return next((place for place in places if place.is_file() or place.is_dir()), None)


def _bases(source: Path) -> list[Path]:
    return [source.absolute(), source.absolute().parent, Path.cwd()]


def _named_volumes(source: Source, reports: Sequence[Reported]) -> DataSet:
    """The volumes whose paths stand in the reports."""
    bases = _bases(source.path)
    cases: dict[Path, Case] = {}
    taken: set[str] = set()
    for report in reports:
        for name in report.names:
            path = _path(name, bases)
            if path is None or path.resolve() in cases:
                continue
            short = stem(path.name)
            case_id = short if short not in taken else re.sub(r"^\W+", "", str(path.parent / short))
            taken.add(case_id)
            patient, scan = patient_and_scan(case_id)
            cases[path.resolve()] = Case(case_id, patient, scan, path)
            break
    if not cases:
        raise DataError(_nothing_joined(source, reports[0], None, []))
    return DataSet(bases[1], "reports", tuple(sorted(cases.values(), key=lambda case: case.id)))


def _nothing_joined(source: Source, report: Reported, dataset: DataSet | None, ambiguous: Sequence[str]) -> str:
    named = f"the report {report.report_id!r}"
    others = [name for name in report.names if name != report.report_id]
    if others:
        named += f" (its volume: {others[0]!r})"
    if dataset is None:
        return (
            f"no volumes for {source.path}: {named} and all others name no file that is there. Give the volumes' "
            "folder with --volumes DIR, or a column image_path in the reports"
        )
    volume = dataset.cases[0]
    more = f"; {len(ambiguous):,} have a name that several volumes have" if ambiguous else ""
    return (
        f"no report of {source.path} speaks of a volume in {dataset.root}{more}. One is {named.removeprefix('the ')}, "
        f"a volume is called {volume.id!r} ({volume.image}). Give the folder of these reports' volumes with --volumes "
        "DIR, name the column of the volumes' names with `ovct curate --id-column`, or add a column image_path to the "
        "reports"
    )


def _first(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
