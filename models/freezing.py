"""What trains in which stage: everything else gets no gradient and stays as it is, whatever mode the model is in.

The paper's three stages: the image encoder is pretrained on segmentation; the text encoder is aligned to it while it
is frozen; both stay frozen while the decoder and the connector learn to turn a prompt into a mask.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Self

from torch import nn
from torch.nn import Parameter

Stage = Literal["pretrain", "align", "segment"]
ModelPart = Literal["image_encoder", "image_decoder", "image_heads", "text", "projection", "connector"]
Members = Sequence[nn.Module | Parameter]

TRAINED_PARTS: dict[Stage, frozenset[ModelPart]] = {
    "pretrain": frozenset({"image_encoder", "image_decoder", "image_heads"}),
    "align": frozenset({"text", "projection"}),
    "segment": frozenset({"image_decoder", "connector"}),
}


class StagedModel(nn.Module):
    """A model made of parts, of which each stage trains some."""

    def __init__(self) -> None:
        super().__init__()
        self.stage: Stage | None = None
        self._resting: list[nn.Module] = []

    def parts(self) -> dict[ModelPart, Members]:
        """Every parameter of the model under the one part that it belongs to."""
        raise NotImplementedError

    def freeze(self, stage: Stage, *, unlock: Iterable[ModelPart] = ()) -> Self:
        """Sets what trains in `stage`, and what is `unlock`ed beyond it (the paper's ablation unlocks "image_encoder").

        Frozen parts get no gradient, and `train()` leaves them in evaluation mode: no dropout, no running statistic
        moves. ValueError for an unknown stage or part, or where nothing of this model would train.
        """
        if stage not in TRAINED_PARTS:
            raise ValueError(f"a stage is one of {', '.join(TRAINED_PARTS)}, not {stage!r}")
        trains, parts = TRAINED_PARTS[stage] | frozenset(unlock), self.parts()
        absent = trains - parts.keys()
        if absent:
            raise ValueError(
                f"{stage!r} trains {', '.join(sorted(trains))}; a {type(self).__name__} consists of {', '.join(parts)}"
            )
        self._resting = []
        for name, members in parts.items():
            for parameter in parameters_of(members):
                parameter.requires_grad_(name in trains)
                parameter.grad = parameter.grad if name in trains else None
            if name not in trains:
                self._resting += [member for member in members if isinstance(member, nn.Module)]
        self.stage = stage
        return self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As in `nn.Module`, but frozen parts stay in evaluation mode."""
        super().train(mode)
        for module in self._resting:
            module.eval()
        return self


def parameters_of(members: Members) -> Iterator[Parameter]:
    """The parameters of a part."""
    for member in members:
        if isinstance(member, nn.Module):
            yield from member.parameters()
        else:
            yield member
