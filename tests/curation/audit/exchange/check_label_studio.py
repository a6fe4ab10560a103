"""Holds a labelling configuration, tasks and an export against label-studio-sdk; needs nothing else than that."""

import json
import sys
import tempfile
from pathlib import Path

from label_studio_sdk.converter import Converter
from label_studio_sdk.label_interface import LabelInterface


def main(config_path: str, tasks_path: str, export_path: str) -> None:
    config = Path(config_path).read_text(encoding="utf-8")
    interface = LabelInterface(config)
    interface.validate()
    tasks = json.loads(Path(tasks_path).read_text(encoding="utf-8"))
    regions = 0
    for task in tasks:
        for prediction in task["predictions"]:
            problems = interface.validate_prediction(prediction, return_errors=True)
            assert problems in ([], True), problems
            regions += sum(result["type"] == "labels" for result in prediction["result"])
        # With predictions it fails by itself: it calls a function without the argument that this needs.
        assert interface.validate_task({"data": task["data"]}), task["data"]["report_id"]
    for task in json.loads(Path(export_path).read_text(encoding="utf-8")):
        assert all(interface.validate_annotation(annotation) for annotation in task["annotations"])
    with tempfile.TemporaryDirectory() as folder:
        Converter(config, folder, download_resources=False).convert_to_json(export_path, folder, is_dir=False)
        (written,) = Path(folder).glob("*.json")
        annotations = sum(len(task["annotations"]) for task in json.loads(written.read_text(encoding="utf-8")))
    print(json.dumps({"tasks": len(tasks), "regions": regions, "annotations": annotations}))


if __name__ == "__main__":
    main(*sys.argv[1:])
