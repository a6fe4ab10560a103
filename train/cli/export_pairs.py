"""`ovct export pairs`: image-caption pairs for other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curation.cli.errors import errors_reported
from curation.cli.options import GeneralOptions, Overwrite, option_groups, refuse_store
from curation.runtime.terminal import say


@option_groups
def pairs(
    captions: Annotated[
        Path, typer.Argument(metavar="CAPTIONS", help="A caption set, or organ captions in JSON.")
    ] = Path("captions"),
    volumes: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The CT volumes that the reports are on; joined by name, as in `ovct train align`.",
            show_default="where the reports' own columns say",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the files.")] = Path("pairs"),
    form: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="jsonl: a line for each caption. csv: tab-separated, for open_clip. hlip: JSON by scan. desc-info: "
            "desc_info.json and conc_info.json by organ, for fVLM. webdataset: tar files with the volumes in them.",
        ),
    ] = "jsonl",
    text: Annotated[
        str,
        typer.Option(metavar="NAME", help="captions: each caption is a text. report: the report's text is the one."),
    ] = "captions",
    shard_size: Annotated[
        int, typer.Option(min=1, metavar="MB", help="Largest tar file of webdataset, in millions of bytes.")
    ] = 1_000,
    overwrite: Overwrite = False,
    *,
    general: GeneralOptions,
) -> None:
    """Write image-caption pairs as other trainers read them: JSONL, open_clip, HLIP, fVLM, WebDataset."""
    with errors_reported(general.debug, f"{out} holds no whole export; the same command writes it anew", extra="train"):
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.store_cache import local_copy
        from train.export.pair_files import PairExport, export_pairs

        refuse_store(out, "an export")
        with TerminalProgress("pairs", quiet=general.quiet) as progress:
            job = PairExport(
                local_copy(captions, progress),
                local_copy(volumes, progress) if volumes else None,
                out,
                form,
                text,
                shard_size,
                overwrite,
            )
            done = export_pairs(job, progress, progress.message)
        if not general.quiet:
            files = done.files[0] if len(done.files) == 1 else f"{done.files[0]} to {done.files[-1]}"
            left_out = f"; {done.without_text:,} without a caption left out" if done.without_text else ""
            say(f"In {out}: {files}, {done.volumes:,} volumes with {done.texts:,} texts{left_out}")
