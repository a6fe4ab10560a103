"""Reports and captions paired with the volumes that they describe: what contrastive training draws from."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .caption_sources import CaptionedReport, CaptionSource, OrganCaption, read_caption_source
from .cases import Case, DataError, DataSet
from .volume_names import VOLUME_SUFFIXES, patient_and_scan, volume_stem

# The summary names this many of the reports and volumes without a partner.
MAX_LISTED_NAMES = 5
# Volumes that have moved are recognised by up to this many last parts of their paths.
LONGEST_TAIL = 4


@dataclass(frozen=True)
class CaptionPair:
    """One volume with a report on it and the report's captions."""

    case: Case
    report_id: str
    text: str
    captions: tuple[OrganCaption, ...]


@dataclass(frozen=True)
class CaptionPairs:
    """All pairs, in the order of the reports, and the ids of the reports and volumes without a partner.

    `dataset` holds all volumes, those without a report too: `split_cases` splits them by patient. `ambiguous` are
    reports whose name several volumes have.
    """

    source: CaptionSource
    dataset: DataSet
    pairs: tuple[CaptionPair, ...]
    reports_without_volume: tuple[str, ...]
    volumes_without_report: tuple[str, ...]
    ambiguous: tuple[str, ...]

    def summary(self) -> list[str]:
        """Return sentences for a person: how many were paired, and the first of those that were not."""
        volumes = {pair.case.id for pair in self.pairs}
        captions = sum(len(pair.captions) for pair in self.pairs)
        lines = [f"{len(self.pairs):,} reports with {captions:,} captions joined with {len(volumes):,} volumes"]
        for names, title in (
            (self.reports_without_volume, "reports without a volume"),
            (self.volumes_without_report, "volumes without a report"),
            (self.ambiguous, "reports whose name several volumes have (name them by their path)"),
        ):
            if names:
                lines.append(f"{len(names):,} {title}: {_list_names(names)}")
        return [*lines, *self.source.warnings]

    def for_cases(self, cases: Iterable[Case]) -> list[CaptionPair]:
        """Return the pairs of these cases, such as those of one split."""
        ids = {case.id for case in cases}
        return [pair for pair in self.pairs if pair.case.id in ids]


def read_pairs(captions: Path, dataset: DataSet | None = None) -> CaptionPairs:
    """Pair the reports of a caption set, or of a JSON file of organ captions, with a data set's volumes.

    A report finds its volume by a source column that names it (`image`, `VolumeName` …), else by its id: by path (from
    the caption set's folder, the one around it or the working directory), by the case's id, by the name of the file
    with or without ending, or, for a scan's name such as `train_1_a`, with all reconstructions of it. Without a
    `dataset` the volumes are those whose paths the reports name.

    Raises:
        DataError: nothing could be paired; it shows a report's id and a volume's name.
    """
    source, reports = read_caption_source(captions)
    dataset = dataset or _dataset_of_named_files(source, reports)
    finder = _CaseFinder(dataset, reports, _base_folders(source.path))
    pairs, missing, ambiguous = list[CaptionPair](), list[str](), list[str]()
    for report in reports:
        cases = finder.find(report.names)
        if cases:
            pairs += (CaptionPair(case, report.report_id, report.text, report.captions) for case in cases)
        else:
            (missing if cases is None else ambiguous).append(report.report_id)
    paired = {pair.case.id for pair in pairs}
    unpaired = tuple(case.id for case in dataset.cases if case.id not in paired)
    if not pairs:
        raise DataError(_nothing_paired(source, reports[0], dataset, ambiguous))
    return CaptionPairs(source, dataset, tuple(pairs), tuple(missing), unpaired, tuple(ambiguous))


class _CaseFinder:
    """Finds cases by the names that a report may give: paths, ids, names of files, names of scans.

    The bare name of a file counts only where a single volume has it, and the reports do not use it for several
    volumes: `ct` names none of the files `<case>/ct.nii.gz`.
    """

    def __init__(self, dataset: DataSet, reports: Sequence[CaptionedReport], bases: Sequence[Path]) -> None:
        self._bases = [*bases, dataset.root]
        self._by_path = {case.image.resolve(): case for case in dataset.cases}
        self._by_id = {case.id: case for case in dataset.cases}
        self._by_name: dict[str, dict[str, Case]] = defaultdict(dict)
        self._by_scan: dict[str, list[Case]] = defaultdict(list)
        for case in dataset.cases:
            for name in (volume_stem(case.image.name), volume_stem(case.id), *_tails(case.image)):
                self._by_name[name][case.id] = case
            self._by_scan[case.scan].append(case)
        self._shared_names = _shared_file_names(name for report in reports for name in report.names)

    def find(self, names: Sequence[str]) -> list[Case] | None:
        """Return the cases of the first name that fits; [] where a name fits several volumes, None where none fits."""
        ambiguous = False
        for name in names:
            path = _existing_path(name, self._bases) if _has_folder(name) else None
            case = self._by_id.get(name) or (path and self._by_path.get(path.resolve()))
            if case:
                return [case]
            for key in (*reversed(_tails(Path(name))), volume_stem(name)):
                candidates = self._by_name.get(key, {})
                if len(candidates) == 1 and key not in self._shared_names:
                    return list(candidates.values())
                ambiguous = ambiguous or len(candidates) > 1
            if reconstructions := self._by_scan.get(volume_stem(name)):
                return reconstructions
        return [] if ambiguous else None


def _shared_file_names(names: Iterable[str]) -> set[str]:
    """Return the names of files, without ending, that stand in several folders among these paths."""
    tails_by_name: dict[str, set[str]] = defaultdict(set)
    for tail in {_tails(Path(name))[0] for name in names if _has_folder(name)}:
        tails_by_name[tail.rsplit("/")[-1]].add(tail)
    return {name for name, tails in tails_by_name.items() if len(tails) > 1}


def _tails(path: Path) -> list[str]:
    """Return the ends of a path, without ending, of two to four parts, shortest first.

    `a/b/ct.nii.gz` -> `b/ct`, `a/b/ct`.
    """
    parts = [*(part for part in path.parent.parts if part not in (".", path.anchor)), volume_stem(path.name)]
    return ["/".join(parts[-length:]) for length in range(2, min(len(parts), LONGEST_TAIL) + 1)]


def _has_folder(name: str) -> bool:
    return len([part for part in re.split(r"[/\\]", name) if part not in ("", ".")]) > 1


def _existing_path(name: str, bases: Sequence[Path]) -> Path | None:
    """Return the file, or the folder of a DICOM series, at the path `name` below the first of `bases` that has it.

    A whole path is taken as it is; one that leads upward is none of these.
    """
    if ".." in re.split(r"[/\\]", name):
        return None
    if not (name.lower().endswith(VOLUME_SUFFIXES) or _has_folder(name)) or len(name) > 4096 or "\n" in name:
        return None
    paths = [base / name.replace("\\", "/") for base in bases]
    return next((path for path in paths if path.is_file() or path.is_dir()), None)


def _base_folders(source: Path) -> list[Path]:
    """Return the folders from which the paths in a report may start."""
    return [source.absolute(), source.absolute().parent, Path.cwd()]


def _dataset_of_named_files(source: CaptionSource, reports: Sequence[CaptionedReport]) -> DataSet:
    """Return a data set of the volumes whose paths the reports name. Raises `DataError` where there is none."""
    bases = _base_folders(source.path)
    cases: dict[Path, Case] = {}
    used_ids: set[str] = set()
    for report in reports:
        for name in report.names:
            _refuse_upward(source, report, name)
            path = _existing_path(name, bases)
            if path is None or path.resolve() in cases:
                continue
            stem = volume_stem(path.name)
            case_id = stem if stem not in used_ids else re.sub(r"^\W+", "", str(path.parent.resolve() / stem))
            used_ids.add(case_id)
            patient, scan = patient_and_scan(case_id)
            cases[path.resolve()] = Case(case_id, patient, scan, path)
            break
    if not cases:
        raise DataError(_nothing_paired(source, reports[0], None, []))
    return DataSet(bases[1], "reports", tuple(sorted(cases.values(), key=lambda case: case.id)))


def _refuse_upward(source: CaptionSource, report: CaptionedReport, name: str) -> None:
    """Raise `DataError` for the name of a volume that leads upward from the folder where it begins."""
    if ".." in re.split(r"[/\\]", name) and _has_folder(name) and "\n" not in name:
        raise DataError(
            f"{source.path}: the report {report.report_id!r} names {name!r} for its volume, which leads out of "
            "the folder and is not read. If it is meant, write its whole path, or give the volumes' folder with "
            "--volumes DIR"
        )


def _nothing_paired(
    source: CaptionSource, report: CaptionedReport, dataset: DataSet | None, ambiguous: Sequence[str]
) -> str:
    """Return the message of the error: the names of a report beside that of a volume, and what to do."""
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


def _list_names(names: Sequence[str]) -> str:
    more = len(names) - MAX_LISTED_NAMES
    return ", ".join(names[:MAX_LISTED_NAMES]) + (f" and {more:,} more" if more > 0 else "")
