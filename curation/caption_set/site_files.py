"""The words of a site (``--lexicon``, ``--organs``) as a caption set keeps them, for readers and for a replay."""

from __future__ import annotations

import hashlib
from pathlib import Path

from curation.language.site_words import OURS, SiteWords, check_site_words
from curation.runtime.files import whole_file

from .manifest import CurationSettings
from .set_files import SITE_LEXICON_FILE, SITE_ORGANS_FILE
from .work_folder import SetError


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
