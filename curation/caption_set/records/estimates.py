"""Estimates of shares of a caption set, as they stand in the results of an audit."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class AuditRecord(BaseModel):
    """A part of the results of an audit; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(AuditRecord):
    """An estimate of a share of the whole set, with its 95 % interval from ``low`` to ``high``; shares are 0 to 1.

    ``reviewed`` captions were decided and ``hits`` of them have the property that is counted. ``rate`` is weighted
    where the sample is, and null without any reviewed caption. ``effective`` is the size of a simple random sample that
    would give as narrow an interval.
    """

    rate: float | None
    low: float
    high: float
    hits: int
    reviewed: int
    effective: float


class Meaning(NamedTuple):
    """What a verdict means, for people: its key on the keyboard, its name, and what it says of what is judged."""

    key: str
    name: str
    says: str
