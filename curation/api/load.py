"""`ovct.load`: a caption set as pandas DataFrames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from curation.runtime.progress import Progress
from curation.runtime.store_cache import local_copy

if TYPE_CHECKING:
    from pandas import DataFrame

    from curation.caption_set.set_files import TableName


class CaptionSetTables(NamedTuple):
    """The tables of a caption set; their columns are described in its README.md."""

    captions: DataFrame
    reports: DataFrame
    rejects: DataFrame


def load(folder: str | Path = "captions", *, progress: Progress | None = None) -> CaptionSetTables:
    """Load the finished parts of a caption set as pandas DataFrames.

    Raises:
        ManifestError: there is no caption set.
        SetError: a file of it is missing or not as it was written.
    """
    from curation.caption_set.manifest import load_manifest
    from curation.caption_set.resuming import check_parts

    progress = progress or Progress()
    root = local_copy(str(folder), progress)
    manifest = load_manifest(root)
    check_parts(root, manifest, ("captions", "reports", "rejects"), check=progress.raise_if_interrupted)
    parts = range(len(manifest.parts))
    return CaptionSetTables(*(_read_table(root, table, parts) for table in ("captions", "reports", "rejects")))


def _read_table(root: Path, table: TableName, parts: range) -> DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from curation.caption_set.schemas import parquet_schema
    from curation.caption_set.set_files import part_path

    parquet = [pq.read_table(part_path(root, table, part)) for part in parts]
    # Of a set that an earlier version began, the first parts may lack a column.
    whole = pa.concat_tables(parquet, promote_options="default") if parquet else parquet_schema(table).empty_table()
    frame: DataFrame = whole.to_pandas()
    return frame
