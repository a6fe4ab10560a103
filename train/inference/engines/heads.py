"""The engine of a network with an output for each class: the vocabulary turns prompts into classes, its heads segment.

This is how published STU-Net weights are used without any training, and what `ovct train pretrain` has made.
"""

from __future__ import annotations

from curation.runtime.progress import Progress
from train.inference.errors import SegmentError
from train.inference.labelling import label_scan
from train.inference.options import DEFAULT_OPTIONS, SegmentOptions
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.inference.windows import Windows, window_size
from train.scans.grid import to_network
from train.scans.scan import Scan

from .class_names import ClassNames, union_notices
from .class_network import ClassNetwork
from .class_scores import predict_class_scores

SOURCE = "this checkpoint"


class HeadsEngine:
    """A class network as an engine: each voxel belongs to the class with the highest score, background among them."""

    has_probabilities = True

    def __init__(self, network: ClassNetwork) -> None:
        self.network = network
        self.names = ClassNames(network.labels[1:], SOURCE)

    @property
    def weights(self) -> str:
        """The name of the weights."""
        return self.network.weights

    def check(self, prompts: tuple[SegmentPrompt, ...], options: SegmentOptions) -> None:
        """Raise SegmentError for a prompt that means no class, and for thresholds, which classes do not have."""
        self.names.find_all(prompts)
        check_no_thresholds(options, SOURCE)

    def segment(
        self,
        scan: Scan,
        prompts: tuple[SegmentPrompt, ...],
        options: SegmentOptions,
        windows: Windows | None = None,
        progress: Progress | None = None,
    ) -> SegmentationResult:
        """Segment a scan; raises ScanError, SegmentError and LogitStorageError."""
        unions = self.names.find_all(prompts)
        members = [tuple(map(self.network.labels.index, union.labels)) for union in unions]
        tensor, grid = to_network(scan, self.network.preprocessing)
        size = window_size(self.network.network.architecture, self.network.patch, grid.shape)
        windows = windows or Windows(size, options.overlap, precision=options.precision)
        scores = predict_class_scores(self.network.network, tensor, grid, members, windows, progress)
        del tensor
        notices = union_notices(prompts, unions, SOURCE)
        return label_scan(scan, scores, prompts, options, self.weights, progress, notices)


def check_no_thresholds(options: SegmentOptions, source: str) -> None:
    """Raise SegmentError for options that say how a text-driven model's probabilities become masks."""
    for flag, value, default in (
        ("--threshold", options.threshold, DEFAULT_OPTIONS.threshold),
        ("--presence-threshold", options.presence_threshold, DEFAULT_OPTIONS.presence_threshold),
    ):
        if value != default:
            raise SegmentError(
                f"{flag} {value:g}: {source} has classes that exclude each other, and a voxel belongs to the most "
                "probable one; thresholds are for text-driven checkpoints"
            )
    if not options.vocabulary:
        raise SegmentError(f"--no-vocabulary: {source} has classes, which prompts mean by the vocabulary alone")
