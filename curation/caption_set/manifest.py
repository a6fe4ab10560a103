"""The manifest of a caption set: what it was made from, with what, and which of its parts are finished.

The names of the fields are the keys of ``manifest.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curation.report_language.languages import LanguageChoice
from curation.runtime.digests import do_nothing, sealed, unsealed
from curation.runtime.errors import OvctError
from curation.runtime.files import whole_file

from .records.cleaning import CleaningRecord
from .records.privacy_counts import PrivacyCounts

FILE_NAME = "manifest.json"
FORMAT: Literal["ovct caption set 1"] = "ovct caption set 1"


# Settings that earlier versions had not, whose sets keep their identity.
LATER_SETTINGS = ("language", "drop_phi", "modality", "site_lexicon", "site_organs")


class ManifestError(OvctError, ValueError):
    """Raised where a folder has no manifest that can be used."""

    exit_code = 2


class _ManifestRecord(BaseModel):
    """A part of the manifest; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputFingerprint(_ManifestRecord):
    """The input by content, so that a changed one is noticed.

    ``name`` is the name of the file or folder without its path, ``bytes`` the size of all ``files``. ``sha256`` of a
    folder is that of its files' names and digests.
    """

    name: str
    files: int
    bytes: int
    sha256: str


class CurationSettings(_ManifestRecord):
    """All that decides the rows, next to the input: a run is resumed only with the same settings.

    ``ovct`` is the program's version. ``prompt``, ``vocabulary`` (of organs) and ``lexicon`` (of the other words that
    engine and verifier know) are digests of files; ``options`` are the engine's. ``shard`` is "I/N" where the set holds
    every N-th part alone (``--shard``). ``language`` is "any" where reports that are not English were asked about too.
    ``drop_phi``: names, dates and numbers were blanked (``--drop-phi``).
    ``modality`` is set where reports of other modalities were left out.
    ``site_lexicon`` and ``site_organs`` are digests of a site's own words (``--lexicon``, ``--organs``); the set keeps
    the files.
    """

    ovct: str
    engine: str
    model: str | None = None
    prompt: str | None = None
    vocabulary: str
    lexicon: str
    options: dict[str, int | float | str] = {}
    id_column: str | None = None
    text_columns: tuple[str, ...] = ()
    limit: int | None = None
    reports_per_part: int
    shard: str | None = None
    language: LanguageChoice = "en"
    drop_phi: bool = False
    modality: str | None = None
    site_lexicon: str | None = None
    site_organs: str | None = None

    def digest(self) -> str:
        """Return one string that stands for all settings. Those that came later count only where they are used."""
        fields = CurationSettings.model_fields
        unused = {name for name in LATER_SETTINGS if getattr(self, name) == fields[name].default}
        return hashlib.sha256(self.model_dump_json(exclude=unused).encode()).hexdigest()

    def answers_digest(self) -> str:
        """Return one string that stands for the settings that a model's answers depend on, next to the questions."""
        options = {name: value for name, value in self.options.items() if name not in ("repair", "second_opinion")}
        settings = json.dumps([self.engine, self.model, self.prompt, sorted(options.items())])
        return hashlib.sha256(settings.encode()).hexdigest()


class PartRecord(_ManifestRecord):
    """A finished part: one file in each table.

    ``reports``, ``captions``, ``rejects`` and ``responses`` count the rows of its files, ``bytes`` has their sizes by
    table, ``sha256`` their digests; sets of earlier versions have none. ``first_row`` and ``last_row`` are the data
    rows of the input that it came from, counted from 1.
    """

    reports: int
    captions: int
    rejects: int
    responses: int = 0
    first_row: int
    last_row: int
    bytes: dict[str, int]
    sha256: dict[str, str] = {}


class RepairCounts(NamedTuple):
    """Counts of refused captions that went back to the model (``returned``) and of captions that came of it."""

    returned: int = 0
    repaired: int = 0


class Counts(_ManifestRecord):
    """Sums over the finished parts: captions by organ and status, refusals by reason, reports by language.

    The languages are codes as in ``curation.report_language``; sets of earlier versions have none.
    Of the refused captions ``returned`` went back to the model, and ``repaired`` captions came of it. ``bases`` counts
    the captions by what they rest on, where that is not the verifier's reading of the report (``rules``).
    """

    reports: int = 0
    captions: dict[str, dict[str, int]] = {}
    rejects: dict[str, int] = {}
    languages: dict[str, int] = {}
    returned: int = 0
    repaired: int = 0
    bases: dict[str, int] = {}

    @property
    def unanswered(self) -> int:
        """Questions without a usable answer, as far as the refusals show."""
        return sum(self.rejects.get(reason, 0) for reason in ("engine_error", "truncated", "schema"))

    def by_organ_and_status(self) -> Counter[tuple[str, str]]:
        """Return the numbers of captions by organ and status, as ``plus`` takes them."""
        return Counter(
            {(organ, status): count for organ, counts in self.captions.items() for status, count in counts.items()}
        )

    def plus(
        self,
        reports: int,
        captions: Counter[tuple[str, str]],
        rejects: Counter[str],
        repairs: RepairCounts,
        languages: Mapping[str, int] | None = None,
        bases: Mapping[str, int] | None = None,
    ) -> Counts:
        """Return the counts with one more part; ``captions`` are counted by organ and status."""
        by_organ = {organ: dict(statuses) for organ, statuses in self.captions.items()}
        for (organ, status), count in captions.items():
            statuses = by_organ.setdefault(organ, {})
            statuses[status] = statuses.get(status, 0) + count
        by_reason = Counter(self.rejects)
        by_reason.update(rejects)
        return Counts(
            reports=self.reports + reports,
            captions={organ: dict(sorted(by_organ[organ].items())) for organ in sorted(by_organ)},
            rejects=dict(sorted(by_reason.items())),
            languages=dict(sorted((Counter(self.languages) + Counter(languages or {})).items())),
            returned=self.returned + repairs.returned,
            repaired=self.repaired + repairs.repaired,
            bases=dict(sorted((Counter(self.bases) + Counter(bases or {})).items())),
        )


class Usage(_ManifestRecord):
    """What a language model did for a set: chats by kind, those without an answer, tokens, and the seconds it worked.

    ``opinions`` are second opinions, which may be another model's.
    Reports with the same text share their answers, so the sums over ``responses`` may be higher. The accept rates are
    shares (0 to 1) of the first and of the last captions; ``cost`` is that of the tokens at ``prices``, which are for a
    million tokens in and out.
    """

    questions: int
    retries: int
    repairs: int
    opinions: int = 0
    failures: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    tokens_per_second: float | None
    first_accept_rate: float | None
    last_accept_rate: float | None
    prices: tuple[float, float] | None
    cost: float | None


class Manifest(_ManifestRecord):
    """The content of ``manifest.json``.

    ``skipped`` counts the rows of the input that were not used, ``warnings`` those that were used all the same; both
    are null until the input was read to its end, and so is ``modalities``, which counts the reports that were read by
    what they examine with ("CT", "PET/CT", "unknown"), also those that ``--modality`` leaves out. ``license`` is that
    of the reports, as Hugging Face names it. It decides no row, so it is none of the settings. ``seconds`` is the time
    of all runs together. ``replayed`` is when the answers were verified again, ``audit`` is there where an audit has
    changed the rows. ``privacy`` is there where the rows were checked for names, dates and numbers. ``files`` has the
    SHA-256 of each file beside the parts, null in sets of earlier versions, and ``sha256`` that of the manifest.
    """

    format: Literal["ovct caption set 1"] = FORMAT
    complete: bool = False
    input: InputFingerprint
    settings: CurationSettings
    versions: dict[str, str]
    source_columns: tuple[str, ...]
    license: str | None = None
    counts: Counts = Counts()
    usage: Usage | None = None
    privacy: PrivacyCounts | None = None
    skipped: int | None = None
    warnings: int | None = None
    modalities: dict[str, int] | None = None
    seconds: float = 0.0
    finished: str | None = None
    replayed: str | None = None
    audit: CleaningRecord | None = None
    files: dict[str, str] | None = None
    parts: tuple[PartRecord, ...] = ()
    sha256: str | None = Field(default=None, exclude=True)

    def identity(self) -> str:
        """Return one string that stands for the rows: other input, settings or parts give another string."""
        parts = (part.model_dump_json(exclude=None if part.sha256 else {"sha256"}) for part in self.parts)
        lines = [self.input.sha256, self.settings.digest(), *parts]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def save(self, folder: Path, check: Callable[[], None] = do_nothing) -> None:
        """Write the manifest into a folder as a whole; the parts that it names count from then on.

        ``check`` is called before it takes the place of the one there, and may raise.
        """
        with whole_file(folder / FILE_NAME) as temporary:
            temporary.write_text(sealed(self.model_dump(mode="json")), encoding="utf-8")
            check()

    @property
    def has_digests(self) -> bool:
        """Whether the digest of every file is known: sets of earlier versions have the sizes of their parts alone."""
        return self.files is not None and all(part.sha256.keys() >= part.bytes.keys() for part in self.parts)


def is_caption_set(folder: Path) -> bool:
    """Return whether the folder has the manifest of a caption set, of whatever version."""
    try:
        manifest = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and str(manifest.get("format", "")).startswith("ovct caption set")


def load_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a caption set. Raises ``ManifestError`` where there is none, or a wrong one."""
    path = folder / FILE_NAME
    try:
        content, holds = unsealed(path.read_bytes())
        if holds is False:
            raise ManifestError(
                f"{path} is not as it was written (its sha256 has changed): put a copy of it back, or make the set anew"
            )
        return Manifest.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(
            f"{folder} holds no caption set (no {FILE_NAME}): name another folder, or make one with `ovct curate`"
        ) from None
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(step) for step in problem["loc"]) or "the file"
        raise ManifestError(f"{path} cannot be used: {where}: {problem['msg']}") from None
