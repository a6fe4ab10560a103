"""Reading caption sets, and organ captions in JSON."""

import json
from pathlib import Path

import pytest

from tests.train.data.data_files import caption_set, hounsfield, save
from train.data.caption_pairs import read_pairs
from train.data.cases import DataError
from train.data.dataset import open_dataset


def test_broken_caption_sets_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no caption set"):
        read_pairs(tmp_path)
    captions = caption_set(tmp_path, ["report_id"], ["s1"])
    (captions / "captions" / "part-00000.parquet").write_bytes(b"cut off")
    with pytest.raises(DataError, match=r"part-00000\.parquet is missing or not as it was written"):
        read_pairs(captions)
    manifest = json.loads((captions / "manifest.json").read_text()) | {"parts": []}
    (captions / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="holds no reports"):
        read_pairs(captions)


def test_organ_captions_of_others(tmp_path: Path) -> None:
    for name in ("train_1_a_1", "train_2_a_1", "train_3_a_1"):
        save(tmp_path / "v" / f"{name}.nii.gz", hounsfield())
    captions_by_scan = {
        "train_1_a": {"lung": "Clear lungs. ", "heart": ["Normal size.", ""]},
        "train_2_a_1.nii.gz": ["No effusion."],
        "train_3_a": {"recons": ["train_3_a_1.nii.gz"], "report": ["One nodule."]},
    }
    path = tmp_path / "organs.json"
    path.write_text(json.dumps(captions_by_scan))
    pairs = read_pairs(path, open_dataset(tmp_path / "v"))
    assert [(pair.case.id, [tuple(caption) for caption in pair.captions]) for pair in pairs.pairs] == [
        ("train_1_a_1", [("lung", "Clear lungs.", ""), ("heart", "Normal size.", "")]),
        ("train_2_a_1", [("", "No effusion.", "")]),
        ("train_3_a_1", [("", "One nodule.", "")]),
    ]
    assert "ovct verify" in pairs.summary()[-1]
    for content, message in (
        ("[", "is no JSON"),
        ("[]", "expected an object"),
        ('{"a": {"lung": 3}}', "a, lung: 3 is no text"),
    ):
        path.write_text(content)
        with pytest.raises(DataError, match=message):
            read_pairs(path)
