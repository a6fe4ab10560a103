"""The JSON objects that commands print with `--json`, held against their schemas in docs/schemas."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import BaseModel

from curation.caption_set.audit_results import AuditSummary
from curation.caption_set.figures import CurationFigures, SetFigures
from curation.verify_table import VerifyFigures
from curation.word_suggestions.trials import WordSuggestions
from train.evaluation.compare import Comparison
from train.evaluation.findings.results import FindingSummary
from train.evaluation.results import EvaluationSummary
from train.inference.engines.known_prompts import KnownPrompts
from train.inference.run_jobs import JobsReport, SegmentReport
from train.stages.run import TrainFigures

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schemas"
# The record behind each object, by the name of its schema.
RECORDS: dict[str, type[BaseModel]] = {
    "curate": CurationFigures,
    "stats": SetFigures,
    "verify": VerifyFigures,
    "lexicon-suggest": WordSuggestions,
    "audit-summary": AuditSummary,
    "train": TrainFigures,
    "segment": SegmentReport,
    "segment-jobs": JobsReport,
    "segment-prompts": KnownPrompts,
    "evaluate": EvaluationSummary,
    "evaluate-compare": Comparison,
    "evaluate-findings": FindingSummary,
}


def schema_text(name: str) -> str:
    """The schema of an object as it stands in docs/schemas."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **RECORDS[name].model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def checked(name: str, stdout: str) -> dict[str, Any]:
    """The one JSON object on stdout, after a check against its schema: nothing may stand before or behind it."""

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    value = json.loads(stdout, parse_constant=refuse)
    assert isinstance(value, dict)
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(value)
    return value
