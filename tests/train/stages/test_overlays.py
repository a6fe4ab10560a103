"""Names of the pictures of cases: files of the folder they are drawn into, whatever a case is called."""

from pathlib import Path

import pytest

from train.stages.overlays import picture_name


@pytest.mark.parametrize(
    "case", ["../a", "/etc/a", "a/b", "..", "", "a\\b", "a\0b", "C:a", "a\nb", "x" * 300, ".hidden", "a b", "a/../../b"]
)
def test_a_case_of_any_name_has_a_picture_of_the_folder(case: str, tmp_path: Path) -> None:
    path = tmp_path / picture_name(case)
    path.write_bytes(b"")
    assert [path] == list(tmp_path.iterdir()) and path.suffix == ".png" and not path.name.startswith(".")


def test_plain_cases_keep_their_names_and_no_two_share_one() -> None:
    assert picture_name("s0001") == "s0001.png" and picture_name("train_1_a_1") == "train_1_a_1.png"
    cases = ["a/b", "a_b", "a\\b", "a b", ".a_b", "A" * 200, "A" * 201]
    assert len({picture_name(case) for case in cases}) == len(cases)
