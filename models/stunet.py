"""STU-Net, the image encoder and decoder: a residual U-Net whose sizes differ in depth and width alone.

Huang et al. 2023, "STU-Net: Scalable and Transferable Medical Image Segmentation Models" (arXiv 2304.06716);
parameters are named as in the published checkpoints, so these load. Shapes: B batch, C channels, D H W voxels. In the
published weights D H W are z, y, x, as nnU-Net reads a volume, and the last axis is halved once more than the others.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self, overload

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .architecture import PUBLISHED_LABELS, Architecture, architecture_from_weights, architecture_of, label_positions
from .blocks import SLOPE, ResidualBlock, Upsample
from .freezing import Members, ModelPart, StagedModel
from .weights_file import WeightsFileError, describe_mismatches, read_weights


class STUNet(StagedModel):
    """An STU-Net of one size: `encode` returns a pyramid, `decode` features of every voxel, `forward` class logits.

    `size` is a name in ARCHITECTURES or an architecture. Without `num_classes` there are no heads, and `forward` raises
    ValueError. `labels` are the names of the outputs, in order. `checkpointing` keeps the activations inside a block
    out of memory while training, and computes them again. Raises ValueError where these do not go together.
    """

    def __init__(
        self,
        size: str | Architecture,
        in_channels: int = 1,
        num_classes: int | None = None,
        *,
        labels: Sequence[str] | None = None,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.architecture = architecture = architecture_of(size)
        _check_counts(in_channels, num_classes, labels)
        self.in_channels, self.num_classes = in_channels, num_classes
        self.labels = None if labels is None else tuple(labels)
        self.checkpointing = checkpointing
        dims, depth = architecture.dims, architecture.depth
        stages = zip((in_channels, *dims), dims, depth, ((1, 1, 1), *architecture.strides), strict=False)
        self.conv_blocks_context = nn.ModuleList(_stage(*stage) for stage in stages)
        levels = range(len(dims) - 2, -1, -1)  # of the decoder, coarsest first
        self.upsample_layers = nn.ModuleList(Upsample(dims[i + 1], dims[i], architecture.strides[i]) for i in levels)
        self.conv_blocks_localization = nn.ModuleList(_stage(2 * dims[i], dims[i], depth[i]) for i in levels)
        if self.num_classes is not None:
            self.seg_outputs = nn.ModuleList(nn.Conv3d(dims[i], self.num_classes, kernel_size=1) for i in levels)
        self.apply(_initialise)

    @property
    def feature_channels(self) -> tuple[int, ...]:
        """The channels of the levels that `decode` returns, finest first."""
        return self.architecture.dims[:-1]

    @property
    def encoder(self) -> nn.ModuleList:
        """The module that turns a volume into the pyramid."""
        return self.conv_blocks_context

    @property
    def decoder(self) -> nn.ModuleList:
        """The module that turns the pyramid into features of every voxel; the heads are not part of it."""
        return nn.ModuleList([self.upsample_layers, self.conv_blocks_localization])

    def parts(self) -> dict[ModelPart, Members]:
        """Return the parameters of encoder, decoder and the pretraining's heads, if there are any."""
        heads = [self.seg_outputs] if self.num_classes is not None else []
        return {"image_encoder": [self.encoder], "image_decoder": [self.decoder], "image_heads": [*heads]}

    def encode(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the pyramid of x (B, in_channels, D, H, W), finest first: (B, dims[i], D / s_i, H / s_i, W / s_i).

        s_i is the stride of stage i in voxels. Raises ValueError as `check_input`.
        """
        self.check_input(x)
        pyramid = []
        for stage in self.conv_blocks_context:
            x = self._run_blocks(stage, x)
            pyramid.append(x)
        return tuple(pyramid)

    @overload
    def decode(self, pyramid: Sequence[Tensor], *, deep_supervision: Literal[False] = False) -> Tensor: ...
    @overload
    def decode(self, pyramid: Sequence[Tensor], *, deep_supervision: bool) -> Tensor | tuple[Tensor, ...]: ...
    def decode(self, pyramid: Sequence[Tensor], *, deep_supervision: bool = False) -> Tensor | tuple[Tensor, ...]:
        """Return the finest features (B, dims[0], D, H, W) of a pyramid, as `encode` returns it.

        With `deep_supervision` return the features of every level, finest first; level i has dims[i] channels. Raises
        ValueError for a pyramid of another number of stages.
        """
        if len(pyramid) != len(self.architecture.dims):
            raise ValueError(f"`encode` gives {len(self.architecture.dims)} tensors, not {len(pyramid)}")
        x, levels = pyramid[-1], list[Tensor]()
        for up, blocks, skip in zip(self.upsample_layers, self.conv_blocks_localization, pyramid[-2::-1], strict=True):
            x = self._run_blocks(blocks, up(x), skip)
            if deep_supervision:
                levels.append(x)
        return tuple(reversed(levels)) if deep_supervision else x

    @overload
    def forward(self, x: Tensor, *, deep_supervision: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, *, deep_supervision: bool) -> Tensor | tuple[Tensor, ...]: ...
    def forward(self, x: Tensor, *, deep_supervision: bool = False) -> Tensor | tuple[Tensor, ...]:
        """Return class logits (B, num_classes, D, H, W) of x (B, in_channels, D, H, W).

        With `deep_supervision` return those of every decoder level, finest first. Raises ValueError for a network
        without heads, and as `check_input`.
        """
        if self.num_classes is None:
            raise ValueError("this STUNet has no heads: build it with num_classes, or use encode and decode")
        features = self.decode(self.encode(x), deep_supervision=deep_supervision)
        heads = reversed(self.seg_outputs)
        if isinstance(features, Tensor):
            logits: Tensor = next(heads)(features)
            return logits
        return tuple(head(level) for head, level in zip(heads, features, strict=True))

    def check_input(self, x: Tensor) -> None:
        """Raise ValueError unless x is (B, in_channels, D, H, W), of a size that the strides divide without rest.

        More than one voxel must be left at the bottleneck. The message names the next size that fits.
        """
        if x.dim() != 5:
            raise ValueError(f"a volume is (B, C, D, H, W), not {tuple(x.shape)}")
        if x.shape[1] != self.in_channels:
            raise ValueError(
                f"this STUNet takes {self.in_channels} input channel(s), not {x.shape[1]}: {tuple(x.shape)}"
            )
        self.architecture.check_patch(x.shape[2:])

    @property
    def _last_block(self) -> nn.Module:
        finest = self.conv_blocks_localization[-1]
        assert isinstance(finest, nn.Sequential)
        return finest[-1]

    def _run_blocks(self, blocks: nn.Module, *parts: Tensor) -> Tensor:
        checkpointing = self.checkpointing and self.training and torch.is_grad_enabled()
        for block in blocks.children():
            # Backward begins with the last block, when all else is still kept: computing it again would save nothing.
            recompute = checkpointing and block is not self._last_block
            parts = (checkpoint(block, *parts, use_reentrant=False) if recompute else block(*parts),)
        return parts[0]

    def select_labels(self, names: Sequence[str]) -> Self:
        """Keep only the outputs of `names`, in that order; they are found by name, never by position.

        Changes the network in place and returns it. Raises ValueError where outputs have no names, or not these.
        """
        if self.labels is None:
            raise ValueError("the outputs of this STUNet have no names; pass labels= when it is built or loaded")
        rows = label_positions(names, self.labels)
        for head in self.seg_outputs:
            assert isinstance(head, nn.Conv3d)
            head.weight = nn.Parameter(head.weight.detach()[rows].clone())
            head.bias = nn.Parameter(head.bias.detach()[rows].clone()) if head.bias is not None else None
            head.out_channels = len(rows)
        self.num_classes, self.labels = len(names), tuple(names)
        return self

    @classmethod
    def load_published(
        cls, path: Path | str, *, labels: Sequence[str] | None = None, shapes_only: bool = False
    ) -> Self:
        """Build a network with the weights of a published checkpoint: `.model`, `.pth` or safetensors.

        Sizes are read off the shapes of the weights. Heads for 105 classes get PUBLISHED_LABELS; for any other number
        `labels` may name them. With `shapes_only` the weights have no values (device "meta"), and none are read from
        the disk. Raises WeightsFileError where the file holds something else than weights, or weights that are not
        STU-Net's.
        """
        weights = read_weights(path, shapes_only=shapes_only)
        try:
            architecture, in_channels, num_classes = architecture_from_weights(weights)
            labels = PUBLISHED_LABELS if labels is None and num_classes == len(PUBLISHED_LABELS) else labels
            with torch.device("meta"):
                network = cls(architecture, in_channels, num_classes, labels=labels)
        except ValueError as error:
            raise WeightsFileError(f"{path}: {error}") from error
        problems = describe_mismatches(network.state_dict(), weights)
        if problems:
            raise WeightsFileError(f"{path}: the weights do not fit STU-Net: {problems}")
        network.load_state_dict(weights, assign=True)
        return network.float()


def _check_counts(in_channels: int, num_classes: int | None, labels: Sequence[str] | None) -> None:
    if in_channels < 1 or (num_classes is not None and num_classes < 1):
        raise ValueError(f"at least one input channel and one class, not {in_channels} and {num_classes}")
    if labels is not None and len(labels) != num_classes:
        raise ValueError(f"{len(labels)} labels for {num_classes} classes (background counts as one)")


def _stage(channels_in: int, channels_out: int, depth: int, stride: tuple[int, int, int] = (1, 1, 1)) -> nn.Sequential:
    first = ResidualBlock(channels_in, channels_out, stride, project=True)
    return nn.Sequential(first, *(ResidualBlock(channels_out, channels_out, project=False) for _ in range(depth - 1)))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, a=SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
