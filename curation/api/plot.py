"""The plot of a finished caption set, drawn into its folder and its store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curation.caption_set.manifest import Manifest
    from curation.caption_set.publishing import StorePublisher


def draw_plot(folder: Path, manifest: Manifest, publish: StorePublisher | None = None) -> Manifest:
    """Draw the plot of captions by organ into the folder of a finished set, and put it into its store.

    Return the manifest with the plot's digest. A picture of that name that the manifest does not tell of as it is was
    changed by hand, and stays.
    """
    from curation.caption_set.card import with_file
    from curation.caption_set.manifest import load_manifest
    from curation.caption_set.set_files import PLOT_FILE
    from curation.caption_set.stats import draw, is_foreign_plot, summary_of
    from curation.caption_set.work_folder import lock_set
    from curation.caption_set.writer import save_manifest
    from curation.runtime.digests import file_digest

    path = folder / PLOT_FILE
    with lock_set(folder) as locked:
        manifest = load_manifest(folder)
        recorded = (manifest.files or {}).get(PLOT_FILE)
        changed = recorded and not locked.left_behind and path.exists() and file_digest(path) != recorded
        if changed or is_foreign_plot(path):
            return manifest
        draw(summary_of(folder, manifest), path)
        if publish:
            publish.put_file(path)
        if manifest.files is not None:
            manifest = with_file(manifest, path)
            save_manifest(folder, manifest, publish)
    return manifest
