"""A stand-in for the package TotalSegmentator: the modules, names and signature of version 2.18 that are used here."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel
import numpy as np
import pytest

from train.data.layout_totalsegmentator import V2_STRUCTURES

Run = Callable[..., Any]


def totalsegmentator(
    input: Any, output: Any = None, ml: bool = False, nr_thr_resamp: int = 1, nr_thr_saving: int = 6,
    fast: bool = False, nora_tag: str = "None", preview: bool = False, task: str = "total", roi_subset: Any = None,
    statistics: Any = False, radiomics: bool = False, crop_path: Any = None, body_seg: bool = False,
    force_split: bool = False, output_type: str = "nifti", quiet: bool = False, verbose: bool = False, test: int = 0,
    skip_saving: bool = False, device: str = "gpu", license_number: Any = None,
    statistics_exclude_masks_at_border: bool = True, no_derived_masks: bool = False, v1_order: bool = False,
    fastest: bool = False, roi_subset_robust: Any = None, stats_aggregation: str = "mean",
    remove_small_blobs: bool = False,
) -> Any:  # fmt: skip
    """The signature, up to what is used; `install` puts a body to it."""


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, run: Run, *, weights: bool = True) -> list[dict[str, Any]]:
    """Put the stand-in where the package would be; `run` gets the image and the subset. Returns the calls."""
    calls: list[dict[str, Any]] = []
    signature = inspect.signature(totalsegmentator)

    def called(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named)
        given.apply_defaults()
        calls.append(dict(given.arguments))
        print("this is printed on stdout")
        return run(given.arguments["input"], given.arguments["roi_subset"])

    modules: dict[str, dict[str, Any]] = {
        "totalsegmentator": {"__path__": []},
        "totalsegmentator.python_api": {"totalsegmentator": called},
        "totalsegmentator.map_to_binary": {"class_map": {"total": dict(enumerate(V2_STRUCTURES, 1))}},
        "totalsegmentator.config": {
            "get_weights_dir": lambda: folder / "results",
            "get_config_key": lambda name: {"send_usage_stats": True}.get(name),
        },
    }
    for name, content in modules.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        module.__spec__ = importlib_spec(name)
        monkeypatch.setitem(sys.modules, name, module)
    for number in (291, 292, 293, 294, 295, 298) if weights else (291,):
        (folder / "results" / f"Dataset{number}_made").mkdir(parents=True)
    return calls


def importlib_spec(name: str) -> Any:
    """A spec, without which a module counts as not installed."""
    from importlib.machinery import ModuleSpec

    return ModuleSpec(name, None)


def by_intensity(hu: dict[str, int]) -> Run:
    """A body that gives each class where the image has its HU, and nothing outside the subset, axes as they come."""

    def run(image: nibabel.Nifti1Image, subset: list[str] | None) -> nibabel.Nifti1Image:
        voxels = np.asarray(image.dataobj)
        labels = np.zeros(voxels.shape, np.uint8)
        for name, value in hu.items():
            if subset is None or name in subset:
                labels[voxels == value] = V2_STRUCTURES.index(name) + 1
        return nibabel.Nifti1Image(labels, image.affine)

    return run
