"""Reads an exported dataset with argilla itself, without a server, and writes it again with answers of two people.

The answers are given in a file: record id -> question -> value.
"""

import json
import sys
import uuid
from pathlib import Path

import argilla as rg
from argilla._models import DatasetModel
from argilla.records._io import JsonIO

PEOPLE = [uuid.UUID(int=1), uuid.UUID(int=2)]


def main(folder: str, answers_path: str, out: str) -> None:
    rg.Argilla._validate_connection = lambda self: None  # there is no server
    rg.Argilla(api_url="http://argilla.invalid", api_key="none")
    root = Path(folder)
    settings = rg.Settings.from_json(root / ".argilla" / "settings.json")
    settings.validate()
    DatasetModel(**json.loads((root / ".argilla" / "dataset.json").read_text(encoding="utf-8")))
    dataset = rg.Dataset(name="set", settings=settings)
    records = JsonIO._records_from_json(root / "records.json")
    answers = json.loads(Path(answers_path).read_text(encoding="utf-8"))
    for record in records:
        record.dataset = dataset
        for name in record.suggestions.to_dict():
            assert name in settings.schema, name
        for question, value in answers.get(record.id, {}).items():
            record.responses.add(rg.Response(question, value, user_id=PEOPLE[0], status="submitted"))
        record.api_model()
    Path(out).mkdir()
    JsonIO.to_json(records, Path(out) / "records.json")
    same = settings.serialize() == json.loads((root / ".argilla" / "settings.json").read_text(encoding="utf-8"))
    print(json.dumps({"records": len(records), "settings are as they were": same}))


if __name__ == "__main__":
    main(*sys.argv[1:])
