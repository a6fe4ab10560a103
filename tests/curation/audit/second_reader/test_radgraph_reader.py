"""RadGraph as second reader, against a stand-in with the output that its package documents."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

import ovct
from curation.audit.folder import finished_set
from curation.audit.second_reader import radgraph_reader
from curation.audit.second_reader.comparison import CaptionToRead, ReaderAnswer
from curation.audit.second_reader.radgraph_graph import GraphError, read_graph, token_places
from curation.audit.second_reader.radgraph_reader import RadGraphReader, load_radgraph
from curation.audit.second_reader.readings import readings_to_read
from curation.audit.second_reader.set_captions import ReportToRead
from curation.report import Section
from curation.runtime.errors import InputError, RunError
from curation.runtime.progress import Progress
from tests.curation.audit.second_reader.reader_sets import small_set, stored

PRESENT, ABSENT, UNCERTAIN = (
    f"Observation::{name}" for name in ("definitely present", "definitely absent", "uncertain")
)
ANATOMY = "Anatomy::definitely present"
MEASURED = "Observation::measurement::definitely present"
PLACE: dict[str, Any] = {"start_ix": 1, "end_ix": 1, "relations": []}
Tagged = tuple[str, str, Sequence[tuple[str, int]]]
"""Words of a text, their label, and their relations to other entities by number, from 1."""


def annotation(text: str, *entities: Tagged) -> dict[str, Any]:
    """Return what RadGraph gives of a text, its tokens cut as its package cuts them."""
    tokens = re.findall(r"\w+|[^\w\s]+", text)
    rows = {}
    cursor = 0
    for number, (words, label, relations) in enumerate(entities, 1):
        parts = words.split()
        first = next(
            (at for at in range(cursor, len(tokens)) if tokens[at : at + len(parts)] == parts),
            next(at for at in range(len(tokens)) if tokens[at : at + len(parts)] == parts),
        )
        cursor = first + len(parts)
        rows[str(number)] = {
            "tokens": words, "label": label, "start_ix": first, "end_ix": first + len(parts) - 1,
            "relations": [[name, str(target)] for name, target in relations],
        }  # fmt: skip
    return {"text": " ".join(tokens), "entities": rows, "data_source": None, "data_split": "inference"}


def reading(text: str, entities: Sequence[Tagged], caption: str, evidence: str | None = None) -> ReaderAnswer:
    """Return what is read of a caption that rests on a passage of a text, by default on all of it."""
    report = f"Findings:\n{text}"
    start = report.index(evidence or text)
    claim = CaptionToRead(0, 0, "x", "normal", caption, [(start, start + len(evidence or text))])
    section = Section("findings", report.index(text), len(report))
    reader = RadGraphReader(
        lambda texts: {str(number): annotation(body, *entities) for number, body in enumerate(texts)}
    )
    ((_, (result,)),) = reader.read([ReportToRead(report, (section,), (claim,))], Progress())
    return result


CYST = [
    ("6 mm", MEASURED, [("modify", 2)]), ("cyst", PRESENT, [("located_at", 4)]), ("left", ANATOMY, [("modify", 4)]),
    ("kidney", ANATOMY, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "entities", "caption", "organs", "status"),
    [
        ("There is a 6 mm cyst in the left kidney.", CYST, "6 mm cyst in the left kidney", ("left kidney", "cyst"),
         "abnormal"),
        ("There is a 6 mm cyst in the left kidney.", CYST, "Left kidney", ("left kidney",), None),
        ("No pneumothorax.", [("pneumothorax", ABSENT, [])], "No pneumothorax", ("pneumothorax",), "normal"),
        ("Possible cyst of the liver.", [("cyst", UNCERTAIN, [("located_at", 2)]), ("liver", ANATOMY, [])],
         "Possible cyst", ("liver", "cyst"), "uncertain"),
        ("The liver is normal.", [("liver", ANATOMY, []), ("normal", PRESENT, [("located_at", 1)])],
         "The liver is normal", ("liver", "normal"), "normal"),
        ("The liver is not normal.", [("liver", ANATOMY, []), ("normal", ABSENT, [("located_at", 1)])],
         "The liver is not normal", ("liver", "normal"), "abnormal"),
        ("Severe hydronephrosis.", [("Severe", PRESENT, [("modify", 2)]), ("hydronephrosis", ABSENT, [])],
         "No severe hydronephrosis", ("hydronephrosis",), "normal"),
        ("Cyst, and no stone.", [("Cyst", PRESENT, []), ("stone", ABSENT, [])], "No stone", ("stone",), "normal"),
        ("Cyst, and no stone.", [("Cyst", PRESENT, []), ("stone", ABSENT, [])], "No calculus", (), None),
    ],
)  # fmt: skip
def test_organ_and_status_come_from_what_evidence_and_caption_share(
    text: str, entities: Sequence[Tagged], caption: str, organs: tuple[str, ...], status: str | None
) -> None:
    result = reading(text, entities, caption)
    assert (result.organs[: len(organs)], result.status, result.said, result.problem) == (organs, status, None, None)


def test_what_stands_outside_of_the_evidence_counts_nothing() -> None:
    text = "No cyst of the liver. There is a cyst in the spleen."
    entities = [
        ("cyst", ABSENT, [("located_at", 2)]), ("liver", ANATOMY, []), ("cyst", PRESENT, [("located_at", 4)]),
        ("spleen", ANATOMY, []),
    ]  # fmt: skip
    result = reading(text, entities, "No cyst of the liver", "No cyst of the liver.")
    assert (result.organs[0], result.status) == ("liver", "normal")
    result = reading(text, entities, "Cyst in the spleen", "There is a cyst in the spleen.")
    assert (result.organs[0], result.status) == ("spleen", "abnormal")


def test_tokens_are_found_again_in_the_text() -> None:
    text = 'Size (1.5 x 2 cm), "stable"\n\n at  the left.'
    tokens = ["Size", "(", "1", ".", "5", "x", "2", "cm", ")", ",", "``", "stable", "at", "the", "left", "."]
    places = token_places(text, tokens)
    assert [text[start:end] for start, end in places] == [token if token != "``" else "" for token in tokens]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {"entities": {}},
        {"text": "No cyst .", "entities": []},
        {"text": "No cyst .", "entities": {"1": {"label": ABSENT, "start_ix": 1, "end_ix": 1}}},
        {"text": "No cyst .", "entities": {"1": {**PLACE, "label": ABSENT, "end_ix": 7}}},
        {"text": "No cyst .", "entities": {"1": {**PLACE, "label": "cyst"}}},
        {"text": "No cyst .", "entities": {"1": {**PLACE, "label": "Thing::uncertain"}}},
    ],
)  # fmt: skip
def test_another_form_is_no_reading(broken: Any) -> None:
    with pytest.raises(GraphError, match="RadGraph"):
        read_graph("No cyst.", broken)
    claim = CaptionToRead(0, 0, "liver", "normal", "No cyst", [(0, 8)])
    report = ReportToRead("No cyst.", (Section("findings", 0, 8),), (claim,))
    ((_, (result,)),) = RadGraphReader(lambda texts: {"0": broken}).read([report], Progress())
    assert result.problem is not None and "RadGraph" in result.problem
    ((_, (result,)),) = RadGraphReader(lambda texts: {}).read([report], Progress())
    assert result.problem == "RadGraph has no annotation of a section"


def test_a_failure_of_radgraph_ends_the_run() -> None:
    def fails(texts: list[str]) -> dict[str, Any]:
        raise RuntimeError("out of memory")

    report = ReportToRead("No cyst.", (Section("findings", 0, 8),), ())
    with pytest.raises(RunError, match="RadGraph failed: out of memory"):
        list(RadGraphReader(fails).read([report], Progress()))


# -- the package -------------------------------------------------------------------------------------------------------


def stand_in(monkeypatch: pytest.MonkeyPatch, fails: str | None = None) -> list[dict[str, Any]]:
    """Put a package ``radgraph`` in the place of the real one; return the options that its model is loaded with."""
    loaded: list[dict[str, Any]] = []

    class RadGraph:
        def __init__(self, **options: Any) -> None:
            print("Using device: cpu")
            loaded.append(options)
            if fails:
                raise Exception(fails)

        def __call__(self, texts: list[str]) -> dict[str, Any]:
            size = [re.findall(r"(\d+) mm", text)[0] for text in texts]
            return {
                str(number): annotation(
                    text, ("liver", ANATOMY, []), ("normal", PRESENT, [("located_at", 1)]),
                    (f"{size[number]} mm", MEASURED, [("modify", 4)]), ("cyst", PRESENT, [("located_at", 6)]),
                    ("left", ANATOMY, [("modify", 6)]), ("kidney", ANATOMY, []), ("spleen", ANATOMY, []),
                    ("enlarged", PRESENT, [("located_at", 7)]),
                )
                for number, text in enumerate(texts)
            }  # fmt: skip

    module = ModuleType("radgraph")
    module.RadGraph = RadGraph  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "radgraph", module)
    monkeypatch.setattr(radgraph_reader, "version", lambda name: "0.1.18")
    return loaded


def test_a_whole_set_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = stand_in(monkeypatch)
    root = small_set(tmp_path / "set")
    done = CliRunner().invoke(ovct.app, ["audit", str(root), "--second-reader", "radgraph"])
    assert done.exit_code == 0, done.output
    assert loaded == [{"model_type": "radgraph-xl"}] and "Using device" not in done.stdout
    # Where the report says "may be enlarged", the stand-in says "is".
    sentence = "of 12 captions 8 read alike, 4 otherwise (status 4)"
    assert f"radgraph-xl, radgraph 0.1.18: 12 captions read now; {sentence}" in done.stdout
    with readings_to_read(root, finished_set(root)) as store:
        assert store is not None
        assert {row.said for row in stored(store)} == {None}
    again = CliRunner().invoke(ovct.app, ["audit", str(root), "--second-reader", "radgraph"])
    assert "0 captions of 0 reports to read" in again.stdout and sentence in again.stdout


def test_weights_may_lie_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = stand_in(monkeypatch)
    (tmp_path / "modern-radgraph-xl").mkdir()
    name, _ = load_radgraph(str(tmp_path / "modern-radgraph-xl"))
    assert name == "modern-radgraph-xl, radgraph 0.1.18"
    assert loaded == [{"model_type": "modern-radgraph-xl", "model_cache_dir": str(tmp_path)}]
    for wrong in ("radgraph-xxl", str(tmp_path)):
        with pytest.raises(InputError, match="RadGraph has radgraph-xl and modern-radgraph-xl"):
            load_radgraph(wrong)


def test_without_the_package_or_its_weights_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, fails="Cannot download the file")
    with pytest.raises(InputError, match=r"cannot load radgraph-xl \(Cannot download the file\).*--model FOLDER"):
        load_radgraph(None)
    monkeypatch.setitem(sys.modules, "radgraph", None)
    with pytest.raises(InputError, match=r"which is not installed.*pip install '\.\[radgraph\]'"):
        load_radgraph(None)
