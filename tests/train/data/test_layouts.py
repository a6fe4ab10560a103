"""Recognising the layout of a folder."""

from pathlib import Path

import pytest

from tests.train.data.data_files import box, totalsegmentator, with_json
from train.data.cases import DataError
from train.data.dataset import open_dataset


def test_one_case_is_no_data_set(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s1": {"liver": box(2, 5)}})
    with pytest.raises(DataError, match="s1 is one case of a data set; name the folder above it"):
        open_dataset(tmp_path / "s1")


def test_folders_that_are_no_data_set_say_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"Expected one of\n  totalsegmentator: <id>/ct"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match=r"layout 'nnunet2' is not known; there are .*nnunet"):
        open_dataset(tmp_path, "nnunet2")
    totalsegmentator(tmp_path, {"s1": {"liver": box(2, 5)}})
    with_json(tmp_path, labels={"1": "liver"}, training=[])
    with pytest.raises(DataError, match="2 ways; say which: --layout totalsegmentator or --layout msd"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path, "totalsegmentator").cases
    with pytest.raises(DataError, match="no case that can be used"):
        open_dataset(tmp_path, "msd")
