"""The files of a MONAI bundle beside its weights: `inference.json`, `metadata.json` and `README.md`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from curation.runtime.provenance import ovct_version
from train.inference.options import DEFAULT_OPTIONS
from train.inference.prompts import SegmentPrompt
from train.inference.windows import Patch

from .asked_prompts import SourceModel

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
BUNDLE_VERSION = "0.1.0"
STEPS = "train.export.bundle_run"
# What a bundle needs beside MONAI, torch and numpy, which have fields of their own.
REQUIRED = ("nibabel", "safetensors", "scipy", "transformers", "SimpleITK", "pydicom", "fire")


def inference_config(prompts: Sequence[SegmentPrompt]) -> dict[str, Any]:
    """Return `inference.json`, with these prompts unless a run names others."""
    options = ("threshold", "presence_threshold", "overlap", "precision")
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/scans'",
        "output_dir": "$@bundle_root + '/eval'",
        "prompts": {prompt.name: prompt.text for prompt in prompts},
        "vocabulary": DEFAULT_OPTIONS.vocabulary,
        **{name: getattr(DEFAULT_OPTIONS, name) for name in options},
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": {
            "_target_": f"{STEPS}.PromptedSegmenter",
            "checkpoint": "$@bundle_root + '/models'",
            "prompts": "@prompts",
            "device": "@device",
            "vocabulary": "@vocabulary",
        },
        "preprocessing": {"_target_": f"{STEPS}.ReadScand", "keys": "image"},
        "dataset": {
            "_target_": "monai.data.Dataset",
            "data": {"_target_": f"{STEPS}.scans_of", "dataset_dir": "@dataset_dir"},
            "transform": "@preprocessing",
        },
        "inferer": {
            "_target_": f"{STEPS}.ScanInferer",
            "options": {
                "_target_": "train.inference.options.SegmentOptions",
                **{name: f"@{name}" for name in options},
            },
        },
        "postprocessing": {"_target_": f"{STEPS}.SaveMaskd", "keys": "pred", "output_dir": "@output_dir"},
        "evaluator": {
            "_target_": f"{STEPS}.BundleInference",
            "dataset": "@dataset",
            "network": "@network_def",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
        },
        "run": ["$@evaluator.run()"],
    }


def metadata(source: SourceModel, window: Patch) -> dict[str, Any]:
    """Return `metadata.json` with the fields of MONAI's schema."""
    prompts, preprocessing = source.asked.prompts, source.record.preprocessing
    scaled = "over the whole volume to mean 0 and deviation 1"
    if preprocessing.hu_window is not None:
        scaled = "from {} to {} HU to 0 to 1".format(*preprocessing.hu_window)
    spacing = " x ".join(f"{mm:g}" for mm in preprocessing.spacing_mm)
    return {
        "schema": SCHEMA,
        "version": BUNDLE_VERSION,
        "changelog": {BUNDLE_VERSION: f"exported by ovct {ovct_version()} from {source.record.weights}"},
        "monai_version": _release("monai"),
        "pytorch_version": _release("torch"),
        "numpy_version": _release("numpy"),
        "required_packages_version": {
            "ovct": ovct_version(),
            **{name: text for name in REQUIRED if (text := _release(name))},
        },
        "supported_apps": {},
        "name": "Text-driven segmentation of CT",
        "task": "Segmentation of CT volumes by free text",
        "description": "Masks of the structures that `prompts` name, by a text-driven segmenter trained with ovct. "
        "The bundle runs with ovct installed, and its masks are those of `ovct segment`.",
        "authors": "not recorded: whoever trained the model",
        "copyright": "not recorded: that of whoever trained the model",
        "data_source": "`trained_on` in models/checkpoint.json",
        "data_type": "NIfTI, MetaImage, NRRD or DICOM series",
        "image_classes": f"one channel, HU, resampled to {spacing} mm, axes {preprocessing.orientation}, "
        f"scaled {scaled}",
        "pred_classes": "a logit for each prompt; masks may overlap",
        "intended_use": "Research. Not for clinical use.",
        "network_data_format": {
            "inputs": {
                "image": _tensor("hounsfield", 1, window, {"0": "image"}) | {"modality": "CT"},
            },
            "outputs": {
                "pred": _tensor(
                    "segmentation",
                    len(prompts),
                    window,
                    {str(number): prompt.name for number, prompt in enumerate(prompts)},
                )
            },
        },
    }


def _tensor(format: str, channels: int, window: Patch, names: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "image",
        "format": format,
        "num_channels": channels,
        "spatial_shape": list(window),
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": True,
        "channel_def": names,
    }


def _release(package: str) -> str:
    """Return the version that is installed, without the label of a build; empty where there is none."""
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return ""


def readme(source: SourceModel) -> str:
    """Return `docs/README.md`."""
    prompts = source.asked.prompts
    text = source.record.text
    assert text is not None
    encoder = (
        "The text encoder lies in `models/`."
        if text.directory
        else f"The text encoder, `{text.name}`, is not part of the bundle: it is loaded by its name from the Hugging "
        "Face hub, and its licence is its own."
    )
    names = "\n".join(f"- {prompt.name}: {prompt.text}" for prompt in prompts)
    return f"""# Text-driven segmentation of CT

Masks of the structures that the prompts name. For research, not for clinical use.

## Running it

It needs ovct {ovct_version()} with its extra `bundle` (MONAI, PyTorch, transformers, Fire):

```sh
cd THIS_FOLDER
python -m monai.bundle run --config_file configs/inference.json --dataset_dir /path/to/scans
python -m monai.bundle run --config_file configs/inference.json --dataset_dir ct.nii.gz \\
    --output_dir masks --prompts "['left kidney', 'liver']"
```

`dataset_dir` is a scan (.nii, .nii.gz, .mha, .mhd, .nrrd, a zip, or the folder of a DICOM series), or a folder of them.
For each there is `output_dir/NAME.nii.gz`, a label map on the scan's own grid, and `NAME.json` with the label, the
volume in ml and the mean HU of each prompt. They are those of `ovct segment` with the same prompts.

Settings of `configs/inference.json`, each of which a run may name: `prompts` (a list, or name -> text), `threshold`,
`presence_threshold`, `overlap`, `precision`, `vocabulary`, `device`, `dataset_dir`, `output_dir`. {encoder}

`network_def` is a `torch.nn.Module` that turns prepared windows into a logit for each prompt, for your own pipelines.

## Prompts

{names}
"""
