"""Options of `ovct segment` and `ovct evaluate` that say how masks are made."""

from __future__ import annotations

from typing import Annotated

import typer

MASKS = "How masks are made"

Threshold = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="P",
        help="A voxel belongs to a prompt above this probability.",
        rich_help_panel=MASKS,
    ),
]
PresenceThreshold = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="P",
        help="A structure less likely to be there has no voxel; 0: never judged absent.",
        rich_help_panel=MASKS,
    ),
]
Precision = Annotated[
    str, typer.Option(metavar="NAME", help="auto, float32, bfloat16 or float16.", rich_help_panel=MASKS)
]
UnevenSlices = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help="A DICOM series with uneven distances: refuse, or resample (the mask lies on even slices).",
        rich_help_panel=MASKS,
    ),
]
Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1, mps, ...", rich_help_panel=MASKS)]
