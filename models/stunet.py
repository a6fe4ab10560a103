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
    """The network of one size: `encode` gives a pyramid, `decode` features of every voxel, `forward` logits of classes.

    Without `num_classes` there are no heads and `forward` is refused. `labels` names the outputs, in their order.
    `checkpointing` keeps the activations inside a block out of memory while training, and computes them again.
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
        self.in_channels, self.num_classes = _counted(in_channels, num_classes, labels)
        self.labels = None if labels is None else tuple(labels)
        self.checkpointing = checkpointing
        dims, depth = architecture.dims, architecture.depth
        into = zip((in_channels, *dims), dims, depth, ((1, 1, 1), *architecture.strides), strict=False)
        self.conv_blocks_context = nn.ModuleList(_stage(*stage) for stage in into)
        back = range(len(dims) - 2, -1, -1)
        self.upsample_layers = nn.ModuleList(Upsample(dims[i + 1], dims[i], architecture.strides[i]) for i in back)
        self.conv_blocks_localization = nn.ModuleList(_stage(2 * dims[i], dims[i], depth[i]) for i in back)
        if self.num_classes is not None:
            self.seg_outputs = nn.ModuleList(nn.Conv3d(dims[i], self.num_classes, kernel_size=1) for i in back)
        self.apply(_initialise)

    @property
    def feature_channels(self) -> tuple[int, ...]:
        """Channels of what `decode` gives, finest first."""
        return self.architecture.dims[:-1]

    @property
    def encoder(self) -> nn.ModuleList:
        """What turns a volume into the pyramid."""
        return self.conv_blocks_context

    @property
    def decoder(self) -> nn.ModuleList:
        """What turns the pyramid into features for every voxel; the heads are not part of it."""
        return nn.ModuleList([self.upsample_layers, self.conv_blocks_localization])

    def parts(self) -> dict[ModelPart, Members]:
        """Encoder, decoder and the heads of the pretraining, if there are any."""
        heads = [self.seg_outputs] if self.num_classes is not None else []
        return {"image_encoder": [self.encoder], "image_decoder": [self.decoder], "image_heads": [*heads]}

    def encode(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, in_channels, D, H, W) to the pyramid: (B, dims[i], D / s, H / s, W / s) for each stage i, finest first.

        ValueError where channels or patch size do not fit; the text says which sizes do.
        """
        self.check_input(x)
        pyramid = []
        for stage in self.conv_blocks_context:
            x = self._through(stage, x)
            pyramid.append(x)
        return tuple(pyramid)

    @overload
    def decode(self, pyramid: Sequence[Tensor], *, deep_supervision: Literal[False] = False) -> Tensor: ...
    @overload
    def decode(self, pyramid: Sequence[Tensor], *, deep_supervision: bool) -> Tensor | tuple[Tensor, ...]: ...
    def decode(self, pyramid: Sequence[Tensor], *, deep_supervision: bool = False) -> Tensor | tuple[Tensor, ...]:
        """What `encode` gave, to the finest features (B, dims[0], D, H, W).

        With `deep_supervision` the features of every level, finest first; level i has dims[i] channels.
        """
        if len(pyramid) != len(self.architecture.dims):
            raise ValueError(f"`encode` gives {len(self.architecture.dims)} tensors, not {len(pyramid)}")
        x, levels = pyramid[-1], list[Tensor]()
        for up, blocks, skip in zip(self.upsample_layers, self.conv_blocks_localization, pyramid[-2::-1], strict=True):
            x = self._through(blocks, up(x), skip)
            if deep_supervision:
                levels.append(x)
        return tuple(reversed(levels)) if deep_supervision else x

    @overload
    def forward(self, x: Tensor, *, deep_supervision: Literal[False] = False) -> Tensor: ...
    @overload
    def forward(self, x: Tensor, *, deep_supervision: bool) -> Tensor | tuple[Tensor, ...]: ...
    def forward(self, x: Tensor, *, deep_supervision: bool = False) -> Tensor | tuple[Tensor, ...]:
        """Logits (B, num_classes, D, H, W); with `deep_supervision` those of every decoder level, finest first."""
        if self.num_classes is None:
            raise ValueError("this STUNet has no heads: build it with num_classes, or use encode and decode")
        features = self.decode(self.encode(x), deep_supervision=deep_supervision)
        heads = reversed(self.seg_outputs)
        if isinstance(features, Tensor):
            logits: Tensor = next(heads)(features)
            return logits
        return tuple(head(level) for head, level in zip(heads, features, strict=True))

    def check_input(self, x: Tensor) -> None:
        """ValueError unless x is (B, in_channels, D, H, W), of a size that strides divide into two voxels or more."""
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

    def _through(self, blocks: nn.Module, *parts: Tensor) -> Tensor:
        saving = self.checkpointing and self.training and torch.is_grad_enabled()
        for block in blocks.children():
            # Backward begins with the last block, when all else is still kept: computing it again would save nothing.
            again = saving and block is not self._last_block
            parts = (checkpoint(block, *parts, use_reentrant=False) if again else block(*parts),)
        return parts[0]

    def select_labels(self, names: Sequence[str]) -> Self:
        """Keeps the outputs of `names`, in that order, in place; each is found by its name, never by its position."""
        if self.labels is None:
            raise ValueError("the outputs of this STUNet have no names; pass labels= when it is built or loaded")
        keep = label_positions(names, self.labels)
        for head in self.seg_outputs:
            assert isinstance(head, nn.Conv3d)
            head.weight = nn.Parameter(head.weight.detach()[keep].clone())
            head.bias = nn.Parameter(head.bias.detach()[keep].clone()) if head.bias is not None else None
            head.out_channels = len(keep)
        self.num_classes, self.labels = len(names), tuple(names)
        return self

    @classmethod
    def load_published(cls, path: Path | str, *, labels: Sequence[str] | None = None) -> Self:
        """A new network with the weights of a published checkpoint: `.model`, `.pth` or safetensors; sizes are read
        off its shapes.

        Where it has heads for 105 classes these are PUBLISHED_LABELS; for any other number `labels` may name them.
        WeightsFileError where the file holds something else than weights, or weights that are not STU-Net's.
        """
        weights = read_weights(path)
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


def _counted(in_channels: int, num_classes: int | None, labels: Sequence[str] | None) -> tuple[int, int | None]:
    if in_channels < 1 or (num_classes is not None and num_classes < 1):
        raise ValueError(f"at least one input channel and one class, not {in_channels} and {num_classes}")
    if labels is not None and len(labels) != num_classes:
        raise ValueError(f"{len(labels)} labels for {num_classes} classes (background counts as one)")
    return in_channels, num_classes


def _stage(channels_in: int, channels_out: int, depth: int, stride: tuple[int, int, int] = (1, 1, 1)) -> nn.Sequential:
    first = ResidualBlock(channels_in, channels_out, stride, project=True)
    return nn.Sequential(first, *(ResidualBlock(channels_out, channels_out, project=False) for _ in range(depth - 1)))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, a=SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
