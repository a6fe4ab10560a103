"""The patients of a data set divided once, as a data set of its own that names the files where they lie."""

import csv
import io
import json
import random
from pathlib import Path

from curation.runtime.files import write_text
from train.data.cases import DataError, DataSet
from train.data.dataset import open_dataset

# One patient in so many is held out: 30 of 120.
HELD_OUT_EVERY = 4
DESCRIPTION, SPLIT, PATIENTS = "dataset.json", "splits_final.json", "patients.csv"


def only_dataset(folder: Path) -> Path:
    """Return the one data set that a folder holds, or the folder itself."""
    within = [path.parent for path in folder.glob(f"*/{DESCRIPTION}")]
    return within[0] if len(within) == 1 and not (folder / DESCRIPTION).exists() else folder


def write_cohort(data: Path, folder: Path, seed: int) -> DataSet:
    """Write `folder` as nnU-Net raw data with the files of `data` by their whole paths, and return it.

    A quarter of the patients is held out, drawn with the seed. Where `folder` is there already, it has to be the
    same: a run does not go on with other patients.

    Raises:
        DataError: `data` has no label maps or fewer than 4 patients, or `folder` was made of other ones.
    """
    files = _cohort_files(open_dataset(data), seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise DataError(f"{path} is of other patients than those of {data} with seed {seed}; name another --out")
        write_text(path, text)
    return open_dataset(folder, labelled="present")


def _cohort_files(dataset: DataSet, seed: int) -> dict[str, str]:
    """Return the content of each file of a cohort, by its name."""
    for case in dataset.cases:
        if case.labels is None or case.labels.map is None:
            raise DataError(f"{dataset.root}: {case.id} has no label map; nnU-Net raw data have one for each case")
    patients = sorted({case.patient for case in dataset.cases})
    random.Random(seed).shuffle(patients)
    if len(patients) < HELD_OUT_EVERY:
        raise DataError(f"{dataset.root} has {len(patients)} patients; to hold some out, {HELD_OUT_EVERY} are needed")
    held_out = set(patients[: len(patients) // HELD_OUT_EVERY])
    labels: dict[str, list[int]] = {"background": [0], **{name: list(ids) for name, ids in dataset.structures.items()}}
    if dataset.ignored:
        labels["ignore"] = list(dataset.ignored)
    description = {
        "channel_names": {"0": "CT"},
        "labels": labels,
        "file_ending": ".nii.gz",
        "dataset": {
            case.id: {"images": [str(case.image.resolve())], "label": str(case.labels.map.resolve())}
            for case in dataset.cases
            if case.labels is not None and case.labels.map is not None
        },
    }
    fold = {
        "train": [case.id for case in dataset.cases if case.patient not in held_out],
        "val": [case.id for case in dataset.cases if case.patient in held_out],
    }
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("id", "patient"), *((c.id, c.patient) for c in dataset.cases)])
    return {
        DESCRIPTION: json.dumps(description, indent=1) + "\n",
        SPLIT: json.dumps([fold], indent=1) + "\n",
        PATIENTS: table.getvalue(),
    }
