"""The files that a caption set keeps beside its rows: which of them its runs have written, by their digests.

They are the prompt, a site's own words (``--lexicon``, ``--organs``), which readers and a replay use again, and the
list of problem rows. One that no run of the set has written is neither used, copied nor replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from curation.language.site_words import OURS, SiteWords, check_site_words
from curation.runtime.digests import do_nothing, file_digest
from curation.runtime.files import whole_file

from .manifest import CurationSettings, Manifest, ManifestError, load_manifest
from .set_files import KEPT_FILES, PROMPT_FILE, SITE_LEXICON_FILE, SITE_ORGANS_FILE, SKIPPED_FILE
from .work_folder import SetError


def refuse_foreign_files(root: Path, left_behind: bool, given: Mapping[str, str | None] | None = None) -> None:
    """Raise ``SetError`` for a file called like one that a set keeps, if it is not as a run wrote it.

    A finished set's manifest has the digests of its files; those of an unfinished one are in its settings, apart from
    the list of problem rows, which a run that was killed may have ``left_behind``. ``given`` are the digests of the
    files that this run writes: one that was killed may have written them already.
    """
    try:
        manifest = load_manifest(root)
    except (ManifestError, OSError):
        return
    known, given = kept_digests(manifest), given or {}
    for name in KEPT_FILES:
        path = root / name
        if not (path.exists() or path.is_symlink()) or (name == SKIPPED_FILE and left_behind and not manifest.complete):
            continue
        expected = {known.get(name, ""), given.get(name) or ""}
        if path.is_symlink() or (None not in expected and _digest(path) not in expected):  # no run makes links
            raise SetError(
                f"{path} is not what a run of this set wrote (its manifest does not have its sha256), and would be "
                "replaced: move it away, or put the set's own back"
            )


def kept_files(root: Path, manifest: Manifest, check: Callable[[], None] = do_nothing) -> dict[str, str]:
    """Return the names and SHA-256 of the files that a finished set keeps, for those who use or copy them.

    ``check`` is called while they are read, and may raise to stop. Raises ``SetError`` for one that no run of the set
    has written, and for one that is missing or changed.
    """
    known, found = kept_digests(manifest), dict[str, str]()
    for name in KEPT_FILES:
        path, expected = root / name, known.get(name, "")
        digest = _digest(path, check)
        if expected == "":
            if path.exists() or path.is_symlink():
                raise SetError(
                    f"{path} was written by no run of this set (its manifest does not name it), and is not used: move "
                    "it away"
                )
        elif digest is None or expected not in (digest, None):
            raise SetError(f"{path} is missing or not as it was written (its sha256 has changed): put it back")
        else:
            found[name] = digest
    return found


def _digest(path: Path, check: Callable[[], None] = do_nothing) -> str | None:
    """Return the SHA-256 of a file, None for what is no file."""
    return file_digest(path, check) if path.is_file() else None


def kept_digests(manifest: Manifest) -> dict[str, str | None]:
    """Return the digests of the files that runs of a set have written, None for one that nothing is known of.

    Those that its settings name are known while it is unfinished too, and of sets of earlier versions.
    """
    settings, known = manifest.settings, dict[str, str | None](manifest.files or {})
    if manifest.files is None and (manifest.skipped or manifest.warnings):
        known[SKIPPED_FILE] = None
    if manifest.files is None or not manifest.complete:
        named = {
            PROMPT_FILE: settings.prompt,
            SITE_LEXICON_FILE: settings.site_lexicon,
            SITE_ORGANS_FILE: settings.site_organs,
        }
        known |= {name: digest for name, digest in named.items() if digest}
    return known


def keep_site_words(root: Path, words: SiteWords) -> None:
    """Write a site's files into a caption set; remove those that an earlier run left and this one has not."""
    for name, source in ((SITE_LEXICON_FILE, words.lexicon_source), (SITE_ORGANS_FILE, words.organs_source)):
        if source is None:
            (root / name).unlink(missing_ok=True)
            continue
        with whole_file(root / name) as temporary:
            temporary.write_bytes(source)


def kept_site_words(root: Path, settings: CurationSettings, given: SiteWords = OURS) -> SiteWords:
    """Return the words of a site that a caption set was made with; a file of ``given`` takes the place of a kept one.

    Raises ``SetError`` where a file of them is missing or is not the one that was used, ``InputError`` where today's
    lexicon or vocabulary does not go with it.
    """
    files, hashes = (SITE_LEXICON_FILE, SITE_ORGANS_FILE), (settings.site_lexicon, settings.site_organs)
    kept = [
        _source(root / name, recorded) if source is None else source
        for name, recorded, source in zip(files, hashes, (given.lexicon_source, given.organs_source), strict=True)
    ]
    words = SiteWords(*kept)
    check_site_words(words, *(str(root / name) for name in files))
    return words


def _source(path: Path, recorded: str | None) -> bytes | None:
    """Return the content of a kept file, None where the set was made without it."""
    if recorded is None:
        return None
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise SetError(f"{path} is missing, and the set was made with it: put it back") from None
    if hashlib.sha256(source).hexdigest() != recorded:
        raise SetError(f"{path} is not what the set was made with (its sha256 has changed): put it back")
    return source
