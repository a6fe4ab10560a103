"""The `ovct` command and the Python API: registers the commands, and loads a function when it is first used.

import ovct

ovct.curate("reports.csv", out="captions")
ovct.verify("The liver is normal.", [("liver", "The liver is normal")])
ovct.load("captions").captions
ovct.show("captions", ["chest-02"])
ovct.segment("ct.nii.gz", ["left kidney"], checkpoint="runs/segment")
ovct.view("ct.nii.gz", "mask.nii.gz")
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from curation.api.curate import Curation, curate
    from curation.api.load import CaptionSetTables, load
    from curation.api.show import ShownReports, show
    from curation.api.verify import VerifiedCaption, verify
    from curation.runtime.errors import OvctError
    from train.api import ShownScan, segment, view

    app: typer.Typer

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

# Where each function and record of the Python API is defined.
API = {
    "CaptionSetTables": "curation.api.load",
    "Curation": "curation.api.curate",
    "OvctError": "curation.runtime.errors",
    "ShownReports": "curation.api.show",
    "ShownScan": "train.api",
    "VerifiedCaption": "curation.api.verify",
    "curate": "curation.api.curate",
    "load": "curation.api.load",
    "segment": "train.api",
    "show": "curation.api.show",
    "verify": "curation.api.verify",
    "view": "train.api",
}
# The packages of this application. Their names are plain, so others may have the same.
PACKAGES = ("curation", "models", "prompts", "train")


class ShadowedError(ImportError):
    """Another package, or a folder of the user's, stands in the place of a package of this application."""


def check_packages() -> None:
    """Raise ``ShadowedError`` where a package of ours would be, or was, imported from somewhere else."""
    home = Path(__file__).resolve().parent
    for name in PACKAGES:
        place = _place_of(name)
        if place is not None and place != home / name:
            raise ShadowedError(
                f"the package {name!r} comes from {place}, and ovct's own is {home / name}: a folder or "
                f"package of the same name hides it. Run from another folder, or install ovct as an application of its "
                f"own (`uv tool install`, `pipx install`, or a virtual environment)"
            )


def _place_of(name: str) -> Path | None:
    """Return the folder, or the file, that an import of ``name`` takes."""
    module = sys.modules.get(name)
    spec = module.__spec__ if module is not None else importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin).resolve()
    return origin.parent if origin.name == "__init__.py" else origin


def __getattr__(name: str) -> Any:
    if name == "app":
        return command_line()
    if name not in API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name != "OvctError":  # so that `except ovct.OvctError` never raises another error
        check_packages()
    return getattr(importlib.import_module(API[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *API})


@functools.cache
def command_line() -> typer.Typer:
    """Return the command line with all its commands. Raises ``ShadowedError``."""
    check_packages()
    from curation.cli.audit import audit
    from curation.cli.curate import curate, merge
    from curation.cli.export import export
    from curation.cli.help import EXIT_CODES, HelpCommand, command_group
    from curation.cli.import_reviews import import_reviews
    from curation.cli.lexicon import lexicon
    from curation.cli.push import push
    from curation.cli.show import show
    from curation.cli.verify import prompts, stats, verify
    from train.cli.evaluate import evaluate
    from train.cli.export import add_exports
    from train.cli.export_pairs import pairs
    from train.cli.mcp import mcp
    from train.cli.segment import segment
    from train.cli.train import training
    from train.cli.view import view

    app = command_group("CT reports in, captions grounded in them out; and masks for any structure you name.")
    app.callback(epilog=EXIT_CODES)(_root)
    for command in (curate, show, audit, verify, stats, prompts, merge):
        app.command(cls=HelpCommand, rich_help_panel="Reports and captions")(command)
    app.add_typer(lexicon, name="lexicon", rich_help_panel="Reports and captions")
    export.command(cls=HelpCommand)(pairs)
    add_exports(export)
    app.add_typer(export, name="export", rich_help_panel="Reports and captions")
    app.add_typer(import_reviews, name="import", rich_help_panel="Reports and captions")
    app.command(cls=HelpCommand, rich_help_panel="Reports and captions")(push)
    app.add_typer(training, name="train", rich_help_panel="CT volumes")
    for command in (segment, view, evaluate):
        app.command(cls=HelpCommand, rich_help_panel="CT volumes")(command)
    app.command(cls=HelpCommand, rich_help_panel="For other programs")(mcp)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from curation.runtime.provenance import ovct_version
        from curation.runtime.terminal import say

        say(f"ovct {ovct_version()}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line: the entry point of the console script."""
    try:
        app = command_line()
    except ShadowedError as error:
        sys.stderr.write(f"ovct: {error}\n")
        sys.exit(2)
    from curation.runtime.terminal import escape_warnings, say

    escape_warnings()
    try:
        app()
    except Exception:  # with --debug
        say(traceback.format_exc(), err=True, end="")
        sys.exit(1)


if __name__ == "__main__":
    main()
