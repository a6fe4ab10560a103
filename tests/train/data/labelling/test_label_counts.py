"""In how many cases each structure was looked for and is."""

import json
from pathlib import Path

import numpy as np
import pytest

from curation.runtime.progress import Progress
from tests.train.data.data_files import save
from tests.train.training_worlds import AFFINE, PREPROCESSING, SHAPE, labelled
from train.config.options import Data, LabelledBy
from train.data.cases import Case
from train.data.labelling.label_counts import LabelCount, StructureCount, count_labels
from train.data.training_set import TrainingSet, open_training_set

pytestmark = pytest.mark.usefixtures("one_thread")


class Said(Progress):
    """Keeps messages and warnings apart."""

    def __init__(self) -> None:
        self.messages, self.warnings = list[str](), list[str]()

    def message(self, text: str) -> None:
        self.messages.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six cases; the left kidney has a mask in one of them alone, and an empty one in another."""
    root = labelled(tmp_path / "data", 6)
    for number in range(1, 6):
        (root / f"s{number}" / "segmentations" / "kidney_left.nii.gz").unlink()
    save(root / "s1" / "segmentations" / "kidney_left.nii.gz", np.zeros(SHAPE, np.uint8), AFFINE)
    return root


def opened(root: Path, tmp_path: Path, by: LabelledBy = "auto") -> TrainingSet:
    return open_training_set([root], Data(validation=0.0), PREPROCESSING, tmp_path / "cache", labelled=by)


def counts(data: TrainingSet) -> dict[str, tuple[int, int]]:
    """Labelled and present, by the prepared cases; the label files have to say the same."""
    by_files = data.sources[0].count_files()
    data.prepare("refuse", Progress())
    prepared = data.sources[0].count_prepared()
    assert prepared.structures == by_files.structures and (prepared.read, prepared.cases) == (6, 6)
    return {count.name: (count.labelled, count.present) for count in prepared.structures}


def test_files_and_prepared_cases_give_the_same_counts(root: Path, tmp_path: Path) -> None:
    assert counts(opened(root, tmp_path)) == {
        "spleen": (6, 6), "kidney_right": (6, 6), "kidney_left": (6, 1), "liver": (6, 6)
    }  # fmt: skip
    assert counts(opened(root, tmp_path, "present"))["kidney_left"] == (2, 1)
    (root / "labelled.json").write_text(json.dumps({"s2": ["kidney_left"], "*": ["liver", "kidney_left"]}))
    assert counts(opened(root, tmp_path)) == {"kidney_left": (6, 1), "liver": (5, 5)}


def test_a_run_tells_them_and_hints_at_what_was_not_contoured(root: Path, tmp_path: Path) -> None:
    said = Said()
    opened(root, tmp_path).prepare("refuse", said)
    assert said.messages == [
        f"{root}: structures in 6 training cases",
        "  labelled in 6, present in 1: kidney_left",
        "  labelled in 6, present in 6: spleen, kidney_right, liver",
    ]
    (warning,) = said.warnings
    assert "kidney_left (present in 1 of 6)" in warning
    assert "labelled.json" in warning and "--labelled present" in warning and "--labelled all" in warning
    others: tuple[LabelledBy, ...] = ("all", "present")
    for by in others:
        said = Said()
        opened(root, tmp_path, by).prepare("refuse", said)
        assert said.messages and not said.warnings


def test_an_empty_mask_says_that_a_structure_is_absent(root: Path, tmp_path: Path) -> None:
    for case in root.iterdir():
        if case.name != "s0":
            save(case / "segmentations" / "kidney_left.nii.gz", np.zeros(SHAPE, np.uint8), AFFINE)
    said = Said()
    opened(root, tmp_path).prepare("refuse", said)
    assert "  labelled in 6, present in 1: kidney_left" in said.messages and not said.warnings


def test_labels_that_the_file_does_not_name_are_told(root: Path, tmp_path: Path) -> None:
    (root / "labelled.json").write_text(json.dumps({"s2": ["liver"], "*": ["spleen", "liver"]}))
    said = Said()
    opened(root, tmp_path).prepare("refuse", said)
    (warning,) = said.warnings
    assert "does not name structures" in warning and "spleen in 1 (first s2)" in warning


def test_a_few_cases_give_no_hint_and_many_lines_are_counted() -> None:
    cases = [(Case(str(n), "p", "s", Path("ct.nii.gz")), {"liver"}, set[int]()) for n in range(5)]
    for few, warned in ((4, False), (5, True)):
        counted = count_labels({"liver": (1,)}, cases[:few])
        assert bool(LabelCount(Path("d"), "auto", counted, few, few).warnings()) == warned
    many = tuple(StructureCount(f"s{n}", 90, n, 90 - n if n < 19 else 29) for n in range(40))
    count = LabelCount(Path("d"), "auto", many, 90, 100)
    assert count.lines()[0] == "d: structures in 90 of 100 training cases" and len(count.lines()) == 41
    assert len(count.lines(5)) == 7 and count.lines(5)[-1] == "  and 35 structures that are present in more"
    (hint,) = count.warnings()
    assert "s0 (present in 0 of 90)" in hint and "s5" in hint and "and 13 more" in hint


def test_a_check_reads_as_long_as_it_may_and_skips_what_is_broken(root: Path, tmp_path: Path) -> None:
    mask = root / "s0" / "segmentations" / "liver.nii.gz"
    mask.write_bytes(mask.read_bytes()[:60])
    (source,) = opened(root, tmp_path).sources
    at_once = source.count_files(seconds=0)
    assert (at_once.read, at_once.cases) == (1, 6)
    assert source.count_files().read == 5
