"""How a volume must be laid out and scaled for a network: part of every checkpoint, as weights depend on it."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Spacing = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Preprocessing(BaseModel):
    """Spacing in mm and direction of the axes D, H, W, and how HU are scaled. Raises ValueError (pydantic's)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spacing_mm: tuple[Spacing, Spacing, Spacing]
    orientation: str = Field(description="towards where D, H and W run, such as SAR: superior, anterior, right")
    normalisation: Literal["zscore", "window"] = Field(
        description="zscore: mean 0 and standard deviation 1 over the whole volume; window: hu_window to 0..1, clipped"
    )
    hu_window: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        axes = {"L": "x", "R": "x", "A": "y", "P": "y", "I": "z", "S": "z"}
        if sorted(axes.get(letter, letter) for letter in self.orientation) != ["x", "y", "z"]:
            raise ValueError(f"orientation {self.orientation!r}: one of L R, one of A P, one of I S, such as SAR")
        if (self.normalisation == "window") != (self.hu_window is not None):
            raise ValueError("hu_window goes with normalisation 'window', and with no other")
        if self.hu_window is not None and not self.hu_window[0] < self.hu_window[1]:
            raise ValueError(f"hu_window {self.hu_window}: the lower end first")
        return self


# Published STU-Net weights: each volume by its own mean and deviation, no HU clipped, 1.5 mm (STU-Net's plan files;
# its author in uni-medical/STU-Net#4). nnU-Net read TotalSegmentator's R A S files as z, y, x, so D runs superior, H
# anterior, W right; that the whole training set lay so is our reading, not a statement of theirs.
PUBLISHED_PREPROCESSING = Preprocessing(spacing_mm=(1.5, 1.5, 1.5), orientation="SAR", normalisation="zscore")
