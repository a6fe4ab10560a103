"""Writes a caption set as FHIR: a file of resources, one a line (NDJSON, as FHIR's bulk data has them)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from curation.caption_set.kept_files import kept_site_words
from curation.runtime.errors import InputError
from curation.runtime.files import PRIVATE_FILE, whole_file
from curation.runtime.progress import Progress

from .fhir_resources import resources_of
from .set_reports import exported_reports, finished_manifest


def write_fhir(
    root: Path, out: Path, progress: Progress, *, with_text: bool = True, overwrite: bool = False
) -> dict[str, int]:
    """Write all captions of a set, and return how many resources of each type there are.

    Like the set itself the file holds text of reports, and only its owner may read it.

    Raises:
        ManifestError, SetError: there is no finished set, or a file of it is damaged.
        InputError: the file is there already, or its name says that it is something else.
    """
    if out.suffix.lower() not in (".ndjson", ".jsonl"):
        raise InputError(f"--out {out}: FHIR is written one resource a line; give a name that ends in .ndjson")
    if out.exists() and not overwrite:
        raise InputError(f"{out} is there already: name another file, or --overwrite it")
    if not out.parent.is_dir():
        raise InputError(f"{out.parent}: no such folder to write {out.name} to. Make it first, or name another")
    manifest = finished_manifest(root, progress)
    organs = kept_site_words(root, manifest.settings).vocabulary().organs
    snomed = {name: organ.snomed for name, organ in organs.items() if organ.snomed}
    counts: Counter[str] = Counter()
    progress.start(manifest.counts.reports, 0)
    with whole_file(out, PRIVATE_FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
        for exported in exported_reports(root, manifest, progress.raise_if_interrupted):
            for resource in resources_of(exported, manifest, snomed.get, with_text=with_text):
                file.write(json.dumps(resource, ensure_ascii=False) + "\n")
                counts[resource["resourceType"]] += 1
            progress.advance()
    return dict(counts)
