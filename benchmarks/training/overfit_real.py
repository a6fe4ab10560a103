"""The whole path on one real CT: trained on it, does `ovct segment` give its own masks back?

    python -m benchmarks.training.overfit_real [--steps 1600] [--segment-steps 900] [--out runs/overfit]

An overfit test of the path (reading, grids, training, prompts, windows, the way back), and no measure of quality: the
model sees the very masks that it is measured on, and these are a model's output. Needs TotalSegmentator's example CT
(122×101×112 voxels of 3 mm, 61 structures) in `../shared/data`, which does not come with this repository.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

from benchmarks.training.demo_world import ROOT, ovct
from tests.models.encoders import minilm_directory

DATA = ROOT.parent / "shared" / "data"


def main() -> None:
    """Train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--segment-steps", type=int, default=900)
    parser.add_argument("--out", type=Path, default=Path("runs/overfit"))
    options = parser.parse_args()
    dataset, out, start_time = as_nnunet(options.out / "Dataset001_Example"), options.out, time.monotonic()
    patch = ["--patch", "64", "64", "96", "--no-augment", "--learning-rate", "0.002", "--foreground", "1"]
    often = ["--batch-size", "1", "--evaluate-every", "100000", "--save-every", "100"]
    spacing = ["--spacing-mm", "3", "3", "3", "--size", "S"]
    ovct("train", "pretrain", dataset, *spacing, *patch, *often, "--steps", options.steps, "--out", out / "pretrain")
    start = ["--start", out / "pretrain", "--text", minilm_directory(), "--prompts-per-step", "32"]
    ovct(
        "train", "segment", dataset, *start, *patch, *often,
        "--steps", options.segment_steps, "--out", out / "segment", "--cache", out / "pretrain" / "cache",
    )  # fmt: skip
    trained = time.monotonic() - start_time
    ovct(
        "evaluate",
        dataset,
        "--checkpoint",
        out / "segment",
        "--split",
        "all",
        "--out",
        out / "evaluation",
        "--overwrite",
    )
    summary = json.loads((out / "evaluation" / "summary.json").read_text())
    for mean in summary["means"]:
        dice, nsd = mean["score"]["dice"]["value"], mean["score"]["nsd"]["value"]
        if dice is not None:
            print(f"{mean['title']:60s} {mean['structures']:4d} structures  Dice {dice:.3f}  NSD {nsd:.3f}")
    print(f"trained in {trained / 60:.0f} min; an overfit test of the path, on the volume that was trained on")


def as_nnunet(folder: Path) -> Path:
    """The example as a data set of one case in nnU-Net's layout."""
    volume = DATA / "volumes" / "totalsegmentator" / "example_ct.nii.gz"
    if not volume.exists():
        raise SystemExit(f"no real CT at {volume}: nothing to measure")
    names = json.loads((DATA / "lexicons" / "totalsegmentator" / "classes_totalsegmentator_v2.json").read_text())[
        "labels"
    ]
    import nibabel
    import numpy as np

    labels = volume.with_name("example_ct_seg.nii.gz")
    image = nibabel.load(labels)
    assert isinstance(image, nibabel.Nifti1Image)
    present = np.unique(np.asanyarray(image.dataobj))
    labels_present = {"background": 0} | {names[str(int(number))]: int(number) for number in present if number}
    for name, source in (("imagesTr/example_0000.nii.gz", volume), ("labelsTr/example.nii.gz", labels)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)
    description = {"channel_names": {"0": "CT"}, "labels": labels_present, "numTraining": 1, "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(description, indent=1))
    return folder


if __name__ == "__main__":
    main()
