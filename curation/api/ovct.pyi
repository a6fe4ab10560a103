"""The types of the module `ovct`; the wheel has them as the stub package `ovct-stubs`."""

import typer

from curation.api.curate import Curation as Curation
from curation.api.curate import curate as curate
from curation.api.load import CaptionSetTables as CaptionSetTables
from curation.api.load import load as load
from curation.api.show import ShownReports as ShownReports
from curation.api.show import show as show
from curation.api.verify import VerifiedCaption as VerifiedCaption
from curation.api.verify import verify as verify
from curation.runtime.errors import OvctError as OvctError
from train.api import ShownScan as ShownScan
from train.api import segment as segment
from train.api import view as view

__all__ = [
    "CaptionSetTables",
    "Curation",
    "OvctError",
    "ShownReports",
    "ShownScan",
    "VerifiedCaption",
    "curate",
    "load",
    "segment",
    "show",
    "verify",
    "view",
]

app: typer.Typer

def main() -> None: ...
