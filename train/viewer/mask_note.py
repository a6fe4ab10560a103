"""What a mask file says of itself beside its labels: which scan it belongs to, the labels' names and colours."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NotedLabel(BaseModel):
    """A label with its name and its colour, as #rrggbb."""

    model_config = ConfigDict(frozen=True)

    label: int = Field(gt=0)
    name: str
    colour: str = Field(pattern="^#[0-9a-f]{6}$")


class MaskNote(BaseModel):
    """The content of a NIfTI header extension of type comment (6) in masks of an evaluation."""

    model_config = ConfigDict(frozen=True)

    format: Literal["ovct mask 1"] = "ovct mask 1"
    scan: str
    labels: tuple[NotedLabel, ...]
