"""Settings of how fast the network is computed; but for rounding, none of them changes what is learned."""

from __future__ import annotations

from dataclasses import dataclass

from .option import option


@dataclass(frozen=True)
class Speed:
    """Says how the convolutions of stages 1 and 3 lie in memory, and how they are computed.

    Channels last does not pay on a CPU (`bench_step`), and on a GPU torch's instance norm puts channels first again.
    """

    channels_last: bool = option(False, "Keep the channels of convolutions last in memory.", flag=False)
    compile: bool = option(False, "Let torch.compile fuse what lies between convolutions; takes minutes at first.")
    cudnn_benchmark: bool = option(
        True, "On an NVIDIA GPU, try cuDNN's algorithms in the first steps and keep the fastest.", flag=False
    )
