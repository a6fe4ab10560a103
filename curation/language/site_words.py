"""The words that a site adds to ours: its files for ``--lexicon`` and ``--organs``, checked, and both with ours as one.

A ``SiteWords`` holds the files as they were read, so that it can be sent to worker processes and kept with a caption
set; each process builds lexicon and vocabulary from it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from curation.runtime.errors import InputError
from prompts.site_organs import added_names, extend_vocabulary
from prompts.vocabulary import Vocabulary, load_vocabulary
from prompts.yaml_file import line_of

from .lexicon.checks import WordProblem
from .lexicon.lexicon import Lexicon, load_lexicon
from .lexicon.site_checks import problems_of
from .lexicon.site_lexicon import our_words, read_site_lexicon, with_site_words

SHOWN_PROBLEMS = 5
"""Problems of a file that its error tells; the others are counted."""


class SiteHashes(NamedTuple):
    """SHA-256 of a site's files, under their names in a set's settings; None where there is no such file."""

    site_lexicon: str | None
    site_organs: str | None


@dataclass(frozen=True, slots=True)
class SiteWords:
    """The contents of a site's files: words of report language and names of organs. None where there is no such file.

    Picklable, and equal where the files are.
    """

    lexicon_source: bytes | None = None
    organs_source: bytes | None = None

    @property
    def hashes(self) -> SiteHashes:
        """The hashes of the files."""
        return SiteHashes(*map(_hash, (self.lexicon_source, self.organs_source)))

    @property
    def headings(self) -> Mapping[str, Sequence[str]]:
        """The site's headings of reports, by the section that they open."""
        if self.lexicon_source is None:
            return {}
        return {str(section): phrases for section, phrases in read_site_lexicon(self.lexicon_source).headings.items()}

    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary of organs with the site's own."""
        return load_vocabulary() if self.organs_source is None else _vocabulary(self.organs_source)

    def lexicon(self) -> Lexicon:
        """Return the lexicon with the site's own words."""
        return load_lexicon() if self.lexicon_source is None else _lexicon(self)


OURS = SiteWords()
"""No words of a site: the lexicon and the vocabulary as they ship with ovct."""


def _hash(source: bytes | None) -> str | None:
    return None if source is None else hashlib.sha256(source).hexdigest()


@lru_cache(maxsize=2)
def _vocabulary(source: bytes) -> Vocabulary:
    return extend_vocabulary(source, "site_organs.yaml")


@lru_cache(maxsize=2)
def _lexicon(words: SiteWords) -> Lexicon:
    site = read_site_lexicon(words.lexicon_source or b"")
    return Lexicon(with_site_words(site, words.vocabulary()))


def read_site_words(lexicon: str | Path | None = None, organs: str | Path | None = None) -> SiteWords:
    """Read and check a site's files. Raises ``InputError``, which names the file, the line, the value and a way out."""
    words = SiteWords(_read(lexicon, "--lexicon"), _read(organs, "--organs"))
    check_site_words(words, str(lexicon), str(organs))
    return words


def _read(path: str | Path | None, option: str) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"{option} {path}: cannot be read ({error.strerror})") from error


@lru_cache(maxsize=4)
def check_site_words(words: SiteWords, lexicon_file: str, organs_file: str) -> None:
    """Check the words of a site's files, which errors call by these names. Raises ``InputError``."""
    if problems := problems_beside_ours(words, lexicon_file, organs_file):
        more = [f"and {len(problems) - SHOWN_PROBLEMS:,} more"] if len(problems) > SHOWN_PROBLEMS else []
        raise InputError("\n  ".join([*problems[:SHOWN_PROBLEMS], *more]))
    try:
        words.lexicon()
    except ValueError as error:
        raise InputError(f"{lexicon_file}: kinds: {error}") from error


def problems_beside_ours(words: SiteWords, lexicon_file: str = "lexicon", organs_file: str = "organs") -> list[str]:
    """Return in lines all that is wrong with the words of a site's files; errors call the files by these names."""
    try:
        vocabulary = load_vocabulary() if words.organs_source is None else _checked_organs(words, organs_file)
    except ValueError as error:
        return [str(error)]
    if words.lexicon_source is None:
        return []
    try:
        site = read_site_lexicon(words.lexicon_source)
    except ValueError as error:
        return [f"{lexicon_file}: {error}"]
    return [_line(words.lexicon_source, lexicon_file, problem) for problem in problems_of(site, vocabulary)]


def _line(source: bytes, file: str, problem: WordProblem) -> str:
    line = line_of(source, problem.place)
    keys = ", ".join(str(part) for part in problem.place if isinstance(part, str))
    where = f"{file}{f', line {line}' if line else ''}{f': {keys}' if keys else ''}"
    return f"{where}: {f'“{problem.value}” ' if problem.value else ''}{problem.problem}"


def _checked_organs(words: SiteWords, file: str) -> Vocabulary:
    """Return the vocabulary with a site's organs. Raises ``ValueError``, also for a name that is a word of ours."""
    source = words.organs_source or b""
    vocabulary = extend_vocabulary(source, file)
    ours, shipped = our_words(), load_vocabulary()
    for name, text in added_names(source):
        if text not in shipped.organs and (meaning := ours.meanings.get(" ".join(ours.stems(text)))):
            line = line_of(source, [name])
            raise ValueError(
                f"{file}{f', line {line}' if line else ''}: {name}: “{text}” is a word of findings ({meaning}), and a "
                "name of an organ would hide it; choose another name"
            )
    return vocabulary
