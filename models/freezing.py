"""Which parts of a model train in which stage; all others get no gradient and stay as they are in any mode.

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
    """A model made of parts, of which each stage trains some; the base class of all models."""

    def __init__(self) -> None:
        super().__init__()
        self.stage: Stage | None = None
        self._frozen_modules: list[nn.Module] = []

    def parts(self) -> dict[ModelPart, Members]:
        """Return every parameter of the model, under the one part that it belongs to."""
        raise NotImplementedError

    def freeze(self, stage: Stage, *, unlock: Iterable[ModelPart] = (), lock: Iterable[ModelPart] = ()) -> Self:
        """Let the parts of `stage` train, and those in `unlock` too (the paper's ablation unlocks "image_encoder").

        Those in `lock` and all other parts are frozen: they get no gradient, and `train()` leaves them in evaluation
        mode, so that they have no dropout and no running statistic moves. Returns the model. Raises ValueError for an
        unknown stage, and for a part that this model does not have.
        """
        if stage not in TRAINED_PARTS:
            raise ValueError(f"a stage is one of {', '.join(TRAINED_PARTS)}, not {stage!r}")
        trained, parts = (TRAINED_PARTS[stage] | frozenset(unlock)) - frozenset(lock), self.parts()
        absent = trained - parts.keys()
        if absent:
            raise ValueError(
                f"{stage!r} trains {', '.join(sorted(trained))}; a {type(self).__name__} consists of {', '.join(parts)}"
            )
        self._frozen_modules = []
        for name, members in parts.items():
            for parameter in parameters_of(members):
                parameter.requires_grad_(name in trained)
                parameter.grad = parameter.grad if name in trained else None
            if name not in trained:
                self._frozen_modules += [member for member in members if isinstance(member, nn.Module)]
        self.stage = stage
        return self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode as in `nn.Module`, but keep frozen parts in evaluation mode."""
        super().train(mode)
        for module in self._frozen_modules:
            module.eval()
        return self


def parameters_of(members: Members) -> Iterator[Parameter]:
    """Yield the parameters of a part."""
    for member in members:
        if isinstance(member, nn.Module):
            yield from member.parameters()
        else:
            yield member
