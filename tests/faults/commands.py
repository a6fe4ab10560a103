"""The commands that faults are tried on: their inputs, what lies in the output folder before, and how they are called.

Each works in a folder of its own: ``inputs/`` is only read, ``out/`` is what the command writes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from typer import Exit

import ovct
from tests.curation.fakes import answer, sentences, write_reports
from tests.curation.hostile_server import HostileServer, Turns

Words = list[str]


@dataclass(frozen=True)
class Command:
    """``prepare`` makes the inputs, and what ``out/`` holds before; ``words`` are the command's, or ``call`` does it.

    ``retold``: the second call may say by its exit code that all is done (2: "is there already").
    """

    name: str
    prepare: Callable[[Path], None]
    words: Callable[[Path], Words]
    call: Callable[[Path], None] | None = None
    steps: tuple[str, ...] = ()


def respond(turns: Turns) -> str:
    """A caption for each sentence of the report, and one that no report holds."""
    drafts = json.loads(sentences(turns[-1]["content"].partition("\n")[2]))["captions"]
    return answer([*((row["organ"], row["caption"]) for row in drafts), ("spleen", "The spleen is ruptured")])


_servers: list[HostileServer] = []


def server() -> HostileServer:
    """The one server of this process, with the best manners."""
    if not _servers:
        _servers.append(HostileServer(respond))
    return _servers[0]


def close_servers() -> None:
    """End what ``server`` began."""
    while _servers:
        _servers.pop().close()


def run(words: Iterable[object]) -> None:
    """Run a command in this process, and stop where it does not end well."""
    try:
        ovct.command_line()([str(word) for word in words], standalone_mode=False)
    except SystemExit as ended:
        assert not ended.code, words


def _reports(folder: Path) -> None:
    write_reports(folder / "inputs" / "reports.csv", 8, distinct=6)


def _by_rules(folder: Path) -> Words:
    reports = str(folder / "inputs" / "reports.csv")
    return ["curate", reports, "--out", str(folder / "out" / "set"), "--reports-per-part", "4"]


def _by_model(folder: Path) -> Words:
    options = ["--engine", "openai", "--base-url", server().url, "--prompt", "organ_captions_short"]
    return [*_by_rules(folder), *options, "--concurrency", "2"]


def _finished_set(folder: Path) -> None:
    _reports(folder)
    run([*_by_rules(folder), "--quiet"])


def _finished_set_of_model(folder: Path) -> None:
    _reports(folder)
    run([*_by_model(folder), "--quiet"])


def _captions_of_others(folder: Path) -> None:
    _reports(folder)
    rows = ["report_id,organ,caption"]
    rows += [f"scan_{number}.nii.gz,liver,The liver is {'normal' if number % 2 else 'enlarged'}" for number in range(8)]
    (folder / "inputs" / "captions.csv").write_text("\n".join(rows) + "\n")
    (folder / "out").mkdir(exist_ok=True)


def _shards(folder: Path) -> None:
    _reports(folder)
    for shard in ("1/2", "2/2"):
        words = _by_rules(folder)
        words[words.index("--out") + 1] = str(folder / "inputs" / f"shard-{shard[0]}")
        run([*words, "--shard", shard, "--quiet"])
    (folder / "out").mkdir(exist_ok=True)


def _reviewed_set(folder: Path) -> None:
    from curation.audit.sample import SampleRequest
    from tests.curation.audit.builders import give_verdicts, open_audit

    _finished_set(folder)
    with open_audit(folder / "out" / "set", sample=SampleRequest(accepted=6)) as store:
        give_verdicts(store, "ann", ["supported", "hallucinated", "supported", "wrong_organ", "supported"])


def _set(folder: Path) -> str:
    return str(folder / "out" / "set")


def _verify(folder: Path) -> Words:
    inputs = folder / "inputs"
    words = ["verify", str(inputs / "reports.csv"), str(inputs / "captions.csv")]
    return [*words, "-o", str(folder / "out" / "verified.parquet"), "--workers", "1"]


def _merge(folder: Path) -> Words:
    shards = [str(folder / "inputs" / f"shard-{number}") for number in (1, 2)]
    return ["merge", *shards, "--out", str(folder / "out" / "merged")]


def _review(folder: Path) -> None:
    """Give the last verdict of a sample through the review's own server, and print what its page is told."""
    from curation.audit.sample import SampleRequest
    from curation.cli.errors import errors_reported
    from tests.curation.audit.builders import open_audit
    from tests.curation.audit.test_server import ORIGIN, Page, context_of

    root = folder / "out" / "set"
    try:
        with (
            errors_reported(False, "what was said is saved, and the same command goes on from there"),
            open_audit(root, sample=SampleRequest(accepted=6)) as store,
        ):
            page = Page(context_of(root, store, "ann"))
            shown = page.client.get(f"{page.base}api/item/6")
            if shown.status_code == 200 and shown.json()["review"]["verdict"] != "supported":
                body = {"place": 6, "last_event": shown.json()["review"]["event"], "verdict": "supported"}
                shown = page.client.post(f"{page.base}api/review", json=body, headers=ORIGIN)
                assert shown.status_code != 200 or shown.json()["reviewed"] == 6
    except Exit as ended:
        raise SystemExit(ended.exit_code) from None
    if shown.status_code != 200:
        print(shown.json()["detail"])  # the page shows nothing else
        raise SystemExit(1)


CURATION = (
    Command("curate", _reports, _by_rules),
    Command("curate --engine openai", _reports, _by_model),
    Command("verify", _captions_of_others, _verify),
    Command("verify --replay", _finished_set_of_model, lambda folder: ["verify", "--replay", _set(folder)]),
    Command("merge", _shards, _merge),
    Command("stats", _finished_set, lambda folder: ["stats", _set(folder)]),
    Command("audit --summary", _reviewed_set, lambda folder: ["audit", _set(folder), "--summary"]),
    Command(
        "audit --apply",
        _reviewed_set,
        lambda folder: ["audit", _set(folder), "--apply", "--out", str(folder / "out" / "audited")],
    ),
    Command("audit (a verdict)", _reviewed_set, lambda folder: [], _review),
)


def _world(folder: Path) -> None:
    from tests.train.training_worlds import make_world

    make_world(folder / "inputs", 4)
    (folder / "out").mkdir(exist_ok=True)


def _train(stage: str) -> Callable[[Path], Words]:
    def words(folder: Path) -> Words:
        from tests.train.training_worlds import World, flags_of, settings

        world = World(folder / "inputs")
        values = settings(stage, world, steps=2, batch_size=2, save_every=1, evaluate_every=2, connector_steps=0)
        if stage != "segment":
            del values["connector_steps"]
        data = [str(world.captions), "--volumes", str(world.data)] if stage == "align" else [str(world.data)]
        settings_folder = folder / "settings"
        settings_folder.mkdir(exist_ok=True)
        return ["train", stage, *data, "--out", str(folder / "out" / stage), *flags_of(values, settings_folder)]

    return words


def _segmenter(folder: Path) -> None:
    _world(folder)
    run([*_train("segment")(folder), "--steps", "1", "--quiet"])
    shutil.move(folder / "out" / "segment", folder / "inputs" / "segmenter")


def _segment(folder: Path) -> Words:
    inputs = folder / "inputs"
    words = ["segment", str(inputs / "data" / "s0" / "ct.nii.gz"), "--prompt", "liver", "--prompt", "spleen"]
    words += ["--checkpoint", str(inputs / "segmenter"), "--device", "cpu", "--presence-threshold", "0"]
    return [*words, "--out", str(folder / "out" / "mask.nii.gz"), "--preview", "--overwrite"]


def _segmenter_and_series(folder: Path) -> None:
    from tests.train.inference.segment_cases import affine_of, dicom_series, hounsfield

    _segmenter(folder)
    dicom_series(folder / "inputs" / "series", hounsfield((24, 20, 12)), affine_of((3, 3, 4), "LPS"))


def _segment_series(folder: Path) -> Words:
    words = _segment(folder)
    words[1] = str(folder / "inputs" / "series")
    return [*words, "--rtstruct", "--dicom-seg", "--label-files"]


def _evaluate(folder: Path) -> Words:
    inputs = folder / "inputs"
    words = ["evaluate", str(inputs / "data"), "--checkpoint", str(inputs / "segmenter"), "--device", "cpu"]
    return [*words, "--split", "all", "--limit", "2", "--out", str(folder / "out" / "evaluation")]


TRAINING = (
    *(Command(f"train {stage}", _world, _train(stage)) for stage in ("pretrain", "align", "segment")),
    Command("segment", _segmenter, _segment),
    Command("segment --rtstruct", _segmenter_and_series, _segment_series),
    Command("evaluate", _segmenter, _evaluate),
)
