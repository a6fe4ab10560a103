"""Which structures were looked for in each case: as `labelled.json` says, as the labels show, or all of them.

What these mean for losses, presence and evaluation stands at `train.data.cases.Case.labelled`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from train.config.options import LabelledBy
from train.data.cases import Case, DataError, DataSet

LABELLED = "labelled.json"
# The name in `labelled.json` of all cases that it does not name.
OTHERS = "*"
EXPECTED = 'a list of structures for all cases, or {"case id": ["liver", "spleen"]}'
MOST_QUOTED = 60
MOST_NEAR = 3


def with_labelled(dataset: DataSet, by: LabelledBy = "auto") -> DataSet:
    """Return the data set with `Case.labelled` set in each case; no label file is opened.

    `auto` reads `labelled.json` where the folder has one, and leaves all as it is elsewhere: every structure counts as
    looked for in every case. `all` says so. `file` needs the file. `present` takes what the labels of a case hold: the
    mask files that it has, also empty ones; of a label map the structures that have voxels in it. A case in which
    nothing was looked for becomes one without labels. Data without labels stay as they are.

    Raises:
        DataError: no such file with `file`, or one that does not fit the data set.
    """
    path = dataset.root / LABELLED
    if not dataset.structures or by == "all":
        return replace(dataset, labelled_by=by)
    if by == "present":
        cases = tuple(_as_present(case, dataset.structures) for case in dataset.cases)
        return replace(dataset, cases=cases, labelled_by=by)
    if not path.is_file():
        if by == "file":
            raise DataError(f"{dataset.root} has no {LABELLED}; write it ({EXPECTED}), or leave --labelled file out")
        return dataset
    named = _read_labelled(path, dataset)
    cases = tuple(_with_names(case, named.get(case.id, named.get(OTHERS, ()))) for case in dataset.cases)
    return replace(dataset, cases=cases, labelled_by="file")


def labelled_names(
    case: Case, structures: Mapping[str, Sequence[int]], ids: Collection[int] | None = None
) -> frozenset[str]:
    """Return the structures that were looked for in a case, by the data set's own names: name -> ids.

    `ids` are those that its label map holds; they are needed where `case.labelled_if_present` is set. A structure of
    several ids is present with any of them.
    """
    names = frozenset(structures if case.labelled is None else case.labelled)
    if not case.labelled_if_present:
        return names
    assert ids is not None
    return frozenset(name for name in names if any(number in ids for number in structures[name]))


def labelled_fingerprint(dataset: DataSet) -> str:
    """Return a hash of what was looked for in which case; empty where every structure was, in every case."""
    content = [
        (case.id, case.labelled, case.labelled_if_present)
        for case in dataset.cases
        if case.labelled is not None or case.labelled_if_present
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12] if content else ""


def _as_present(case: Case, structures: Mapping[str, Sequence[int]]) -> Case:
    if case.labels is None:
        return case
    if case.labels.map is not None:
        return replace(case, labelled_if_present=True)
    ids = {number for number, _ in case.labels.masks}
    return _with_names(case, tuple(name for name, numbers in structures.items() if ids.issuperset(numbers)))


def _with_names(case: Case, names: tuple[str, ...]) -> Case:
    return replace(case, labelled=names, labels=case.labels if names else None)


def _read_labelled(path: Path, dataset: DataSet) -> dict[str, tuple[str, ...]]:
    """Return the structures by case id, `OTHERS` for cases that are not named. Raises `DataError`, naming the entry."""
    content = _read_json(path)
    if isinstance(content, list):
        return {OTHERS: _names(path, "the list", content, dataset)}
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected {EXPECTED}, not {_quoted(content)}")
    cases = [case.id for case in dataset.cases]
    known = {*cases, *(problem.case_id for problem in dataset.problems), OTHERS}
    for name in content:
        if name not in known:
            raise DataError(f"{path}: {dataset.root} has no case {name!r}{_near(name, cases)}; correct or delete it")
    if OTHERS not in content and (missing := [case for case in cases if case not in content]):
        raise DataError(
            f"{path} does not name {missing[0]}"
            + (f" and {len(missing) - 1:,} more of {len(cases):,} cases" if len(missing) > 1 else "")
            + f"; add each with its list ([] where nothing was looked for), or {OTHERS!r} with the list of all others"
        )
    return {name: _names(path, repr(name), names, dataset) for name, names in content.items()}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=lambda pairs: _object(path, pairs))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read as JSON ({error}); expected {EXPECTED}") from None


def _object(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON. Raises `DataError` for a case that stands twice, of which one list would be lost."""
    if doubled := [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]:
        raise DataError(f"{path}: the case {doubled[0]!r} stands twice; delete one of the two")
    return dict(pairs)


def _names(path: Path, entry: str, names: object, dataset: DataSet) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f'{path}: {entry} is {_quoted(names)}; expected a list of structures, such as ["liver"]')
    for name in names:
        if name not in dataset.structures:
            near = _near(name, dataset.structures)
            raise DataError(f"{path}: {entry} names {name!r}, which {dataset.root} has no label for{near}")
    return tuple(name for name in dataset.structures if name in set(names))


def _near(name: str, known: Collection[str]) -> str:
    """Return the nearest names in words; without any, a few of those that there are."""
    near = get_close_matches(name, known, MOST_NEAR)
    if near:
        return f" (nearest: {', '.join(near)})"
    return f" (there are {', '.join(sorted(known)[:MOST_NEAR])}{', …' if len(known) > MOST_NEAR else ''})"


def _quoted(value: object) -> str:
    return json.dumps(value)[:MOST_QUOTED]
