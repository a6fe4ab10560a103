"""The manifest of a caption set: what it was made from, with what, and which parts of it are finished."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from curation.runtime.errors import OvctError
from curation.runtime.files import write_text

FILE_NAME = "manifest.json"
FORMAT: Literal["ovct caption set 1"] = "ovct caption set 1"


class ManifestError(OvctError, ValueError):
    """The folder's manifest cannot be used."""

    exit_code = 2


class _ManifestRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputFingerprint(_ManifestRecord):
    """The input, by content. ``sha256`` of a folder is that of its files' names and digests."""

    name: str
    files: int
    bytes: int
    sha256: str


class CurationSettings(_ManifestRecord):
    """All that decides the rows, next to the input: a run is resumed only with the same.

    ``vocabulary`` (of organs) and ``lexicon`` (of the other words that engine and verifier know) are digests;
    ``options`` are the engine's; ``shard`` is "I/N" where the set holds every N-th part alone.
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

    def digest(self) -> str:
        """One string that stands for all of them."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def answers_digest(self) -> str:
        """One string that stands for what a model's answers depend on, next to the questions."""
        options = {name: value for name, value in self.options.items() if name != "repair"}
        known = json.dumps([self.engine, self.model, self.prompt, sorted(options.items())])
        return hashlib.sha256(known.encode()).hexdigest()


class PartRecord(_ManifestRecord):
    """One finished part: rows in each of its files, the files' sizes, and the input rows it came from (1-based)."""

    reports: int
    captions: int
    rejects: int
    responses: int = 0
    first_row: int
    last_row: int
    bytes: dict[str, int]


class RepairCounts(NamedTuple):
    """Captions that went back to the model, and captions that came of it."""

    returned: int = 0
    repaired: int = 0


class Counts(_ManifestRecord):
    """Sums over the finished parts: captions by organ and status, refusals by reason.

    Of the refused captions ``returned`` went back to the model, and ``repaired`` captions came of it.
    """

    reports: int = 0
    captions: dict[str, dict[str, int]] = {}
    rejects: dict[str, int] = {}
    returned: int = 0
    repaired: int = 0

    @property
    def unanswered(self) -> int:
        """Questions without a usable answer, as far as the refusals tell."""
        return sum(self.rejects.get(reason, 0) for reason in ("engine_error", "truncated", "schema"))

    def plus(
        self, reports: int, captions: Counter[tuple[str, str]], rejects: Counter[str], repairs: RepairCounts
    ) -> Counts:
        """The counts with one more part."""
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
            returned=self.returned + repairs.returned,
            repaired=self.repaired + repairs.repaired,
        )


class Usage(_ManifestRecord):
    """What a language model did for a set: chats by kind, those without an answer, tokens, and the seconds it worked.

    Reports with the same text share their answers, so the sums over ``responses`` may be higher. Accept rates are those
    of the first and of the last captions; ``cost`` is that of the tokens at ``prices`` for a million in and out.
    """

    questions: int
    retries: int
    repairs: int
    failures: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    tokens_per_second: float | None
    first_accept_rate: float | None
    last_accept_rate: float | None
    prices: tuple[float, float] | None
    cost: float | None


class AuditChange(_ManifestRecord):
    """What an audit did to one caption: taken out, put right, or both; ``after`` is null where it is just out.

    ``verdict`` is what its reviewers said together. ``found``: the verifier finds ``after`` in the report.
    """

    report_id: str
    organ: str
    caption: str
    verdict: str
    after: dict[str, str] | None = None
    found: bool | None = None


class CleaningRecord(_ManifestRecord):
    """Where a cleaned caption set comes from: the set that was audited, what was found, and what was changed.

    ``set`` is the identity of the audited set; ``rate`` with its 95 % interval is its hallucination rate before.
    """

    source: str
    set: str
    applied: str
    captions: int
    sample: int
    reviewed: int
    reviewers: int
    guideline: str
    rate: float | None
    low: float
    high: float
    verdicts: dict[str, int]
    changes: tuple[AuditChange, ...]


class Manifest(_ManifestRecord):
    """``manifest.json``. ``skipped`` (rows not used) and ``warnings`` are known once the input was read to its end.

    ``license`` is that of the reports, as Hugging Face names it. It decides no row, so it is none of the settings.
    ``audit`` is there where an audit has changed the rows.
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
    skipped: int | None = None
    warnings: int | None = None
    seconds: float = 0.0
    finished: str | None = None
    replayed: str | None = None
    audit: CleaningRecord | None = None
    parts: tuple[PartRecord, ...] = ()

    def identity(self) -> str:
        """One string that stands for the rows: another input, other settings or other parts, another string."""
        known = [self.input.sha256, self.settings.digest(), *(part.model_dump_json() for part in self.parts)]
        return hashlib.sha256("\n".join(known).encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write it as a whole; what it names counts from then on."""
        write_text(folder / FILE_NAME, json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n")


def is_caption_set(folder: Path) -> bool:
    """Whether the folder has a manifest of ours, of whatever version."""
    try:
        found = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and str(found.get("format", "")).startswith("ovct caption set")


def load_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a caption set. Raises ``ManifestError``."""
    path = folder / FILE_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(f"{folder} holds no caption set (no {FILE_NAME})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "the file"
        raise ManifestError(f"{path} cannot be used: {where}: {first['msg']}") from None


def _shown(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    if isinstance(value, dict):
        return ", ".join(f"{name} {said}" for name, said in value.items()) or "none"
    return "none" if value is None else str(value)


def differences(before: Manifest, source: InputFingerprint, settings: CurationSettings) -> list[str]:
    """What stands between a caption set and the run that wants to go on with it, in words; empty when nothing does."""
    found = []
    old, new = before.input, source
    if (old.sha256, old.bytes) != (new.sha256, new.bytes):
        found.append(
            f"the input has changed: {old.name} ({old.bytes:,} bytes, sha256 {old.sha256[:12]}) then, "
            f"{new.name} ({new.bytes:,} bytes, sha256 {new.sha256[:12]}) now"
        )
    for name in CurationSettings.model_fields:
        was, now = getattr(before.settings, name), getattr(settings, name)
        if was != now:
            found.append(f"{name.replace('_', ' ')}: {_shown(was)} then, {_shown(now)} now")
    return found
