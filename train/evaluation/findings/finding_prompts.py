"""The findings that are scored: which organ each is read from, and the two prompts that are held against it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from prompts.vocabulary import load_vocabulary
from prompts.yaml_file import FieldError, FileSection, NonEmptyText, load_mapping

from ..record import EvaluationError

FINDINGS_FILE = "finding_prompts.yaml"


class FindingPrompts(FileSection):
    """The prompts of a finding that is there, and of one that is not, and the organ that captions on it are about."""

    organ: NonEmptyText
    present: NonEmptyText
    absent: NonEmptyText


def load_finding_prompts(path: Path | None = None) -> dict[str, FindingPrompts]:
    """Return the findings that are known by the names of their columns, with those of a site's file.

    Raises EvaluationError where the file cannot be read, or names an organ that the vocabulary does not have.
    """
    shipped = _parsed(files("train.evaluation.findings").joinpath(FINDINGS_FILE).read_bytes(), FINDINGS_FILE)
    if path is None:
        return shipped
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"--finding-prompts {path}: {error.strerror or error}") from error
    return shipped | _parsed(content, str(path))


def _parsed(content: bytes, name: str) -> dict[str, FindingPrompts]:
    vocabulary, findings = load_vocabulary(), dict[str, FindingPrompts]()
    try:
        entries: Mapping[str, object] = load_mapping(content)
    except FieldError as error:
        raise EvaluationError(f"{name}: {error}") from error
    for label, entry in entries.items():
        try:
            finding = FindingPrompts.model_validate(entry)
        except ValidationError as error:
            problem = error.errors()[0]
            field = ".".join(map(str, problem["loc"])) or "it"
            raise EvaluationError(
                f"{name}: {label!r}: {field}: {problem['msg']}; a finding is {{organ: …, present: …, absent: …}}"
            ) from error
        if vocabulary.resolve(finding.organ) is None:
            raise EvaluationError(
                f"{name}: {label!r}: organ: {finding.organ!r} is not in the vocabulary; name the organ that captions "
                "on it are filed under"
            )
        findings[label] = finding
    return findings
