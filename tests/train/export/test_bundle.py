"""MONAI bundles of a tiny segmenter, executed as their users do: `python -m monai.bundle` in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.checkpoint import load_checkpoint
from ovct import app
from tests.train.inference.segment_cases import affine_of, dicom_series, hounsfield, nifti, tiny_checkpoint
from train.data.structure_prompts import build_structure_prompts

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).resolve().parents[3]
PATCH = (32, 32, 64)
# What MONAI's specification of bundles asks of metadata.json, for its own schema lies at an address.
TENSOR = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "format": {"type": "string"},
        "num_channels": {"type": "integer", "minimum": 1},
        "spatial_shape": {"type": "array", "items": {"type": ["integer", "string"]}},
        "dtype": {"type": "string"},
        "value_range": {"type": "array"},
        "is_patch_data": {"type": "boolean"},
        "channel_def": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range", "is_patch_data"],
}
VERSION = {"type": "string", "pattern": r"^\d+(\.\d+)*\w*$"}
METADATA = {
    "type": "object",
    "properties": {
        "schema": {"type": "string", "pattern": "^https://"},
        "version": VERSION,
        "changelog": {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        "monai_version": VERSION,
        "pytorch_version": VERSION,
        "numpy_version": VERSION,
        "required_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
        **{
            name: {"type": "string", "minLength": 1} for name in ("name", "task", "description", "authors", "copyright")
        },
        "network_data_format": {
            "type": "object",
            "properties": {
                "inputs": {"type": "object", "additionalProperties": TENSOR, "required": ["image"]},
                "outputs": {"type": "object", "additionalProperties": TENSOR, "required": ["pred"]},
            },
            "required": ["inputs", "outputs"],
        },
    },
    "required": [
        *("schema", "version", "changelog", "monai_version", "pytorch_version", "numpy_version"),
        *("required_packages_version", "task", "description", "authors", "copyright", "network_data_format"),
    ],
}


def ovct(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def monai(bundle: Path, *arguments: str) -> str:
    """Run `python -m monai.bundle` in the folder of a bundle."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "monai.bundle", *arguments]
    done = subprocess.run(command, cwd=bundle, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, scans and a bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    prompts = build_structure_prompts(["liver", "kidney_left", "kidney_right"])
    tiny_checkpoint(folder, "mlp", patch=list(PATCH), prompts=prompts.to_json())
    nifti(folder / "scans" / "ct.nii.gz", hounsfield((40, 36, 20)), affine_of((1.7, 2, 3), "LAS"))
    dicom_series(folder / "scans" / "series", hounsfield((24, 20, 12), 1), affine_of((2, 2, 3), "LPS"))
    ovct("export", "bundle", str(folder / "mlp"), "--out", str(folder / "bundle"))
    return folder


def label_map(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)  # type: ignore[attr-defined]


def test_the_masks_of_a_run_are_those_of_ovct_segment_to_the_voxel(folder: Path, tmp_path: Path) -> None:
    # Thresholds at which a network that was never trained gives masks.
    prompts = "{'kidneys': 'kidneys', 'l': 'left kidney', 'odd': 'a thing'}"
    monai(
        folder / "bundle",
        *("run", "--config_file", "configs/inference.json", "--dataset_dir", str(folder / "scans")),
        *("--output_dir", str(tmp_path / "monai"), "--prompts", prompts),
        *("--threshold", "0.1", "--presence_threshold", "0", "--device", "cpu"),
    )
    (tmp_path / "prompts.json").write_text(prompts.replace("'", '"'))
    ovct(
        *("segment", str(folder / "scans"), "--checkpoint", str(folder / "mlp"), "--out", str(tmp_path / "ovct")),
        *("--prompts", str(tmp_path / "prompts.json"), "--threshold", "0.1", "--presence-threshold", "0"),
        *("--device", "cpu"),
    )
    for name in ("ct", "series"):
        ours, theirs = (tmp_path / maker / f"{name}.nii.gz" for maker in ("ovct", "monai"))
        assert np.array_equal(label_map(theirs), label_map(ours)) and label_map(ours).any()
        assert np.array_equal(nibabel.load(theirs).affine, nibabel.load(ours).affine)  # type: ignore[attr-defined]
        tables = [json.loads(path.with_name(f"{name}.json").read_text()) for path in (ours, theirs)]
        assert tables[0]["labels"] == tables[1]["labels"]


def test_monai_checks_the_network_against_the_metadata(folder: Path) -> None:
    metadata = json.loads((folder / "bundle" / "configs" / "metadata.json").read_text())
    jsonschema.validate(metadata, METADATA)
    assert "ovct" in metadata["required_packages_version"]
    pred = metadata["network_data_format"]["outputs"]["pred"]
    assert pred["num_channels"] == 3 and list(pred["channel_def"].values()) == ["liver", "kidney_left", "kidney_right"]
    told = monai(
        folder / "bundle",
        *("verify_net_in_out", "network_def", "--meta_file", "configs/metadata.json"),
        *("--config_file", "configs/inference.json", "--device", "cpu"),
    )
    assert "verified with no error" in told


def test_the_bundle_has_what_monai_takes_a_workflow_from(folder: Path) -> None:
    from monai.bundle.config_parser import ConfigParser
    from monai.bundle.properties import InferProperties, MetaProperties

    parser = ConfigParser()
    parser.read_config(str(folder / "bundle" / "configs" / "inference.json"))
    parser.read_meta(str(folder / "bundle" / "configs" / "metadata.json"))
    for name, properties in {**InferProperties, **MetaProperties}.items():
        values: dict[str, Any] = {str(key.value): value for key, value in properties.items()}
        if values["required"] or name in ("preprocessing", "postprocessing", "spatial_shape", "channel_def"):
            assert parser.get(values["id"]) is not None, name


def test_the_checkpoint_is_copied_whole_and_without_what_else_lies_there(folder: Path) -> None:
    names = {path.name for path in (folder / "bundle" / "models").iterdir()}
    record = load_checkpoint(folder / "bundle" / "models").record
    assert record.text is not None and names == {"checkpoint.json", record.weights, record.text.directory}
    assert "kidney_left: left kidney" in (folder / "bundle" / "docs" / "README.md").read_text()


def test_a_prompt_that_monai_would_execute_is_refused(folder: Path, tmp_path: Path) -> None:
    for text in ("$print(1)", "@device", "%x"):
        arguments = ["export", "bundle", str(folder / "mlp"), "--out", str(tmp_path / "b"), "--prompt", text]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2 and "signs of its own" in result.stderr
    assert not (tmp_path / "b").exists()
