"""Pictures while training: reference and prediction side by side on three planes of a held-out patch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor


def draw_overlays(path: Path, volume: Tensor, reference: Tensor, predicted: Tensor, names: Sequence[str]) -> None:
    """A PNG of `volume` (D, H, W) with the label maps `reference` and `predicted`, of the same shape, in colours.

    The planes go through the middle of the reference: axial, coronal, sagittal, anterior and superior up.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    grey, maps = volume.float().cpu().numpy(), [each.cpu().numpy() for each in (reference, predicted)]
    where = np.argwhere(maps[0] > 0)
    middle = where.mean(axis=0).astype(int) if len(where) else np.array(grey.shape) // 2
    low, high = np.percentile(grey, (2, 99.5))
    colours = colormaps["gist_rainbow"](np.linspace(0, 1, len(names) + 1))
    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    for row, (title, labels) in enumerate(zip(("reference", "predicted"), maps, strict=True)):
        for axis in range(3):
            axes = figure.add_subplot(2, 3, 3 * row + axis + 1)
            axes.imshow(_plane(grey, axis, middle[axis]), cmap="gray", vmin=low, vmax=high, origin="lower")
            plane = _plane(labels, axis, middle[axis])
            shown = colours[np.clip(plane, 0, len(names))]
            shown[..., 3] = np.where(plane > 0, 0.5, 0)
            axes.imshow(shown, origin="lower", interpolation="nearest")
            axes.set_title(f"{title}: {('axial', 'coronal', 'sagittal')[axis]}", fontsize=8)
            axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=90)


def _plane(volume: NDArray[Any], axis: int, index: int) -> NDArray[Any]:
    """D H W run superior, anterior and right: the patient's right is shown on the left, as radiologists expect."""
    plane: NDArray[Any] = np.take(volume, index, axis=axis)
    return plane if axis == 2 else plane[:, ::-1]


AT = (1, 5, 10)


def retrieval(volumes: Tensor, reports: Tensor, texts: Sequence[str]) -> dict[str, float]:
    """R@1, R@5 and R@10 both ways, the median rank, and what chance gives at 1; embeddings (N, E) of length 1.

    Equal texts are one report: each of them counts as the right one. A tie counts as lost.
    """
    number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    group = torch.tensor([number[text] for text in texts])
    right = group[:, None] == group[None]
    similar = (volumes.double() @ reports.double().T).cpu()
    found: dict[str, float] = {}
    for name, scores, own in (("volume_to_report", similar, right), ("report_to_volume", similar.T, right.T)):
        ranks = _ranks(scores, own)
        found |= {f"{name}_r@{at}": float((ranks < at).double().mean()) for at in AT}
        found[f"{name}_median_rank"] = float(ranks.double().median()) + 1
    return found | {"chance_r@1": float(right.double().mean())}


def _ranks(scores: Tensor, right: Tensor) -> Tensor:
    """(N,) how many wrong ones score at least as high as the best right one."""
    best = scores.masked_fill(~right, -torch.inf).amax(dim=1, keepdim=True)
    return ((scores >= best) & ~right).sum(dim=1)


class RunningDice:
    """Counts for P masks: of both, of the reference, of the prediction; float64, so that sums are exact."""

    def __init__(self, prompts: int, device: torch.device) -> None:
        self.counts = torch.zeros(3, prompts, dtype=torch.float64, device=device)
        self.absent = torch.zeros(2, dtype=torch.float64, device=device)

    def add(self, predicted: Tensor, reference: Tensor, labelled: Tensor | None = None) -> None:
        """Masks (P, D, H, W) bool; `labelled` (P,) bool says which references are known."""
        predicted, reference = predicted.flatten(1), reference.flatten(1)
        both, size, found = ((predicted & reference).sum(1), reference.sum(1), predicted.sum(1))
        known = torch.ones_like(size, dtype=torch.bool) if labelled is None else labelled
        there = known & (size > 0)
        self.counts += torch.stack([both, size, found]) * there
        absent = known & (size == 0)
        self.absent += torch.stack([absent.sum(), (absent & (found > 0)).sum()])

    def total(self) -> None:
        """Sums over all processes, in place."""
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(self.counts)
            dist.all_reduce(self.absent)

    def dice(self) -> Tensor:
        """(P,), NaN where no case shows the structure."""
        both, size, found = self.counts
        dice: Tensor = 2 * both / (size + found)
        return dice

    def mean(self, which: list[int] | slice = slice(None)) -> float:
        """Over the structures that some case shows; NaN where there is none."""
        return float(self.dice()[which].nanmean())

    def false_masks(self) -> float:
        """Of the prompts for a structure that a patch does not show, the share that got a mask all the same."""
        absent, found = self.absent.tolist()
        return found / absent if absent else float("nan")
