"""One byte flipped, cut or added in a file that a run has written: found, and told by the file's name; never used."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from curation.api.load import load
from curation.audit.folder import audit_to_read, audit_to_write
from curation.audit.publish import write_results
from curation.audit.sample import SampleRequest
from curation.audit.second_reader.readings import readings_path, readings_to_write
from curation.audit.second_reader.results import second_readers
from curation.audit.store import STORE_FILE, AuditStore
from curation.caption import ReportOutcome
from curation.caption_set.audit_results import SUMMARY_FILE, read_summary
from curation.caption_set.manifest import load_manifest
from curation.caption_set.merging import merge
from curation.caption_set.sharding import Shard
from curation.caption_set.stats import count_set
from curation.engines.chat import Answer
from curation.extraction.outcome_store import OutcomeStore
from curation.llm.answer_store import AnswerStore
from curation.llm.usage import UsageCounts
from curation.pipeline import CurateJob, curate
from curation.runtime.errors import OvctError
from curation.runtime.progress import Progress
from curation.runtime.sqlite_integrity import digest_file
from curation.verify_table import VerifyJob, verify_table
from curation.word_suggestions.trials import suggest_words
from models.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING
from models.prompt_handling import TextEncoderError
from tests.curation.audit.builders import give_verdicts, open_audit, plain_reports, write_set
from tests.curation.audit.second_reader.reader_sets import read_by, small_set
from tests.curation.fakes import FakeVerifier, fake_recipe, write_reports
from tests.faults.trials import ALL, Trials, drawn
from tests.models.encoders import tiny_encoder
from tests.models.tiny import segmenter
from train.config.options import ConfigError
from train.data.preparing.prepared_file import StoredCase, read_prepared, write_prepared
from train.loop.resume import saved_step
from train.scans.grid import Grid

POSITIONS = 40 if ALL else 3


def flipped(content: bytes, place: int, chance: random.Random) -> bytes:
    return content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]


def cut(content: bytes, place: int, chance: random.Random) -> bytes:
    return content[:place] + content[place + 1 :]


def added(content: bytes, place: int, chance: random.Random) -> bytes:
    return content[:place] + bytes([chance.randrange(256)]) + content[place:]


DAMAGES: dict[str, Callable[[bytes, int, random.Random], bytes]] = {"flip": flipped, "cut": cut, "add": added}


def damaged(path: Path) -> Iterator[str]:
    """Damage a file in one way after another, at places that are drawn and at its ends; then put it back."""
    content, chance = path.read_bytes(), drawn(path.name)
    for how, damage in DAMAGES.items():
        places = {0, len(content) - 1, *(chance.randrange(len(content)) for _ in range(POSITIONS))}
        for place in sorted(places):
            path.write_bytes(damage(content, place, chance))
            yield f"{how} at {place} of {path.name}"
    path.write_bytes(content)


class ToldProgress(Progress):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told = list[str]()

    def message(self, text: str) -> None:
        self.told.append(text)


def answer_to(call: Callable[[Progress], object]) -> str:
    """What a call says: its error, or what it told."""
    progress = ToldProgress()
    try:
        call(progress)
    except OvctError as error:
        return str(error)
    return " ".join(progress.told)


def test_every_file_of_a_set(tmp_path: Path, trials: Trials) -> None:
    write_reports(tmp_path / "reports.csv", 12, extra="")
    with (tmp_path / "reports.csv").open("a") as file:
        file.write("r99,\n")  # a row that cannot be used
    job = CurateJob(tmp_path / "reports.csv", tmp_path / "set", workers=1, reports_per_part=5, shard=Shard(1, 1))
    curate(job, fake_recipe())
    trial = trials["a damaged file of a set: stats, curate, merge, lexicon suggest, verify"]
    for path in sorted(path for path in job.out.rglob("*") if path.is_file()):
        for what in damaged(path):
            calls: dict[str, Callable[..., object]] = {"stats": lambda progress: count_set(job.out, progress)}
            if what.startswith("flip") and path.parent.name in ("reports", "captions"):
                captions = job.out / "captions" if path.parent.name == "reports" else path
                verified = VerifyJob(job.out / "reports", captions, tmp_path / "verified.parquet", workers=1)
                calls["verify"] = lambda progress, job=verified: verify_table(job, FakeVerifier, progress)
            if what.startswith("flip") and path.parent.name in ("reports", "rejects"):
                calls["lexicon suggest"] = lambda progress: suggest_words(job.out, progress)
            if what.startswith("flip"):
                calls["curate"] = lambda progress: curate(job, fake_recipe(), progress)
                calls["merge"] = lambda progress: merge([job.out], tmp_path / "merged", progress)
            for name, call in calls.items():
                trial.tried += 1
                found = path.name in answer_to(call)
                trial.survived += found
                trial.let_in += not found
                assert found, f"{name}: {what}"
        assert not answer_to(lambda progress: count_set(job.out, progress))


def test_a_merged_set_without_a_part_is_made_anew(tmp_path: Path) -> None:
    write_reports(tmp_path / "reports.csv", 12)
    shards = [tmp_path / "one", tmp_path / "two"]
    for number, shard in enumerate(shards, 1):
        job = CurateJob(tmp_path / "reports.csv", shard, workers=1, reports_per_part=4, shard=Shard(number, 2))
        curate(job, fake_recipe())
    merge(shards, tmp_path / "merged")
    part = tmp_path / "merged" / "captions" / "part-00001.parquet"
    whole = part.read_bytes()
    part.unlink()
    assert "made anew" in answer_to(lambda progress: merge(shards, tmp_path / "merged", progress))
    assert part.read_bytes() == whole and not answer_to(lambda progress: merge(shards, tmp_path / "merged", progress))
    with pytest.raises(OvctError, match=r"part-00001\.parquet"):
        part.unlink()
        load(tmp_path / "merged")


def test_a_set_of_an_earlier_version_is_readable_and_says_what_it_lacks(tmp_path: Path) -> None:
    write_reports(tmp_path / "reports.csv", 12)
    job = CurateJob(tmp_path / "reports.csv", tmp_path / "set", workers=1, reports_per_part=5)
    curate(job, fake_recipe())
    manifest = load_manifest(job.out)
    identity = manifest.model_copy(update={"parts": ()}).identity()
    old = json.loads((job.out / "manifest.json").read_text())
    del old["files"], old["sha256"]
    for part in old["parts"]:
        del part["sha256"]
    (job.out / "manifest.json").write_text(json.dumps(old, indent=1) + "\n")
    assert load_manifest(job.out).model_copy(update={"parts": ()}).identity() == identity
    for call in (lambda progress: count_set(job.out, progress), lambda progress: curate(job, fake_recipe(), progress)):
        assert "lacks the digests of its files" in answer_to(call)


def test_the_file_of_an_audit(tmp_path: Path, trials: Trials) -> None:
    root = tmp_path / "set"
    write_set(root, plain_reports(6))
    with open_audit(root) as store:
        give_verdicts(store, "ann", ["hallucinated", "supported"])
    store_file = root / "audit" / STORE_FILE
    trial = trials["a damaged file of an audit"]

    def opened(progress: Progress) -> None:
        with audit_to_read(root) as store:
            assert store.rows("SELECT verdict FROM review ORDER BY item")

    for path in (store_file, digest_file(store_file)):
        for what in damaged(path):
            trial.tried += 1
            found = STORE_FILE in answer_to(opened)
            trial.survived += found
            trial.let_in += not found
            assert found, what
    assert not answer_to(opened)
    store_file.write_bytes(b"")
    with pytest.raises(OvctError, match="is gone, or empty"), audit_to_write(root, SampleRequest(), Progress()):
        pass


def test_rows_of_an_audit_that_was_killed(tmp_path: Path, trials: Trials) -> None:
    root = tmp_path / "set"
    write_set(root, plain_reports(6))
    with open_audit(root) as store:
        give_verdicts(store, "ann", ["hallucinated"] * 5)
    path = root / "audit" / STORE_FILE
    trial = trials["a damaged verdict of an audit that was killed"]
    digest_file(path).write_text("open\n")
    whole = path.read_bytes()
    place = -1
    while (place := whole.find(b"hallucinated", place + 1)) >= 0:
        path.write_bytes(whole[:place] + b"supported!!!" + whole[place + 12 :])
        trial.tried += 1
        with pytest.raises(OvctError, match=r"audit\.sqlite is not as it was written"):
            AuditStore(path)
        trial.survived += 1
    path.write_bytes(whole)
    AuditStore(path).close()


def test_the_readings_of_a_second_reader(tmp_path: Path, trials: Trials) -> None:
    root = small_set(tmp_path / "set", 3)
    read_by(root)
    manifest = load_manifest(root)
    path = readings_path(root, manifest)
    trial = trials["a damaged file of a second reader"]

    def read(progress: Progress) -> None:
        second_readers(root, manifest)

    def go_on(progress: Progress) -> None:
        read_by(root, progress=progress)

    for file in (path, digest_file(path)):
        for what in damaged(file):
            for call in (read, go_on):
                trial.tried += 1
                found = path.name in answer_to(call)
                trial.survived += found
                trial.let_in += not found
                assert found, what
    assert not answer_to(read)
    with readings_to_write(root, manifest) as store:  # a reader that was killed
        store.set_fact("begun", True)
        digest_file(path).write_text("open\n")
        whole = path.read_bytes()
    digest_file(path).write_text("open\n")
    place = whole.index(b"liver")
    path.write_bytes(whole[:place] + b"lover" + whole[place + 5 :])
    assert "rows of its table reading are not as they were stored" in answer_to(read)
    path.write_bytes(whole)
    assert not answer_to(go_on)
    path.write_bytes(b"")
    for call in (read, go_on):
        assert "is gone, or empty" in answer_to(call)


def test_the_results_of_an_audit(tmp_path: Path, trials: Trials) -> None:
    """A damaged summary is named and never used: what reads it (the data card) says that the set is not audited."""
    root = tmp_path / "set"
    write_set(root, plain_reports(6))
    with open_audit(root) as store:
        give_verdicts(store, "ann", ["hallucinated", "supported"])
        write_results(root, store)
    manifest = load_manifest(root)
    path = root / "audit" / SUMMARY_FILE
    whole = read_summary(root, manifest)
    assert whole is not None
    trial = trials["a damaged summary of an audit"]
    for what in damaged(path):
        trial.tried += 1
        told = answer_to(lambda progress: count_set(root, progress))
        found = read_summary(root, manifest) is None and path.name in told
        trial.survived += found
        trial.let_in += not found
        assert found, what
    assert read_summary(root, manifest) == whole
    assert SUMMARY_FILE not in answer_to(lambda progress: count_set(root, progress))


def test_caches_give_what_was_stored_or_nothing(tmp_path: Path, trials: Trials) -> None:
    trial = trials["a damaged cache of outcomes or answers"]
    outcomes = {bytes([number]) * 16: ReportOutcome([], [], language=f"l{number}").pack() for number in range(30)}
    store = OutcomeStore(tmp_path / "outcomes.sqlite", "owner")
    store.keep({key: (packed, False) for key, packed in outcomes.items()})
    store.close()
    answers = {bytes([number]) * 16: Answer(f"the liver is normal {number}", "stop", 10, 20) for number in range(30)}
    kept = AnswerStore(tmp_path / "responses.sqlite", "owner")
    for key, answer in answers.items():
        kept.keep(key, answer)
    kept.add_usage(UsageCounts(questions=3))
    kept.close()

    def read_outcomes() -> None:
        store = OutcomeStore(tmp_path / "outcomes.sqlite", "owner")
        try:
            for key in outcomes:
                assert key not in store or store[key].language == f"l{key[0]}"
        finally:
            store.close()

    def read_answers() -> None:
        kept = AnswerStore(tmp_path / "responses.sqlite", "owner")
        try:
            assert all(kept.get(key) in (None, answer) for key, answer in answers.items())
            assert kept.usage().questions in (0, 3)
        finally:
            kept.close()

    for name, read in (("outcomes.sqlite", read_outcomes), ("responses.sqlite", read_answers)):
        for _ in damaged(tmp_path / name):
            trial.tried += 1
            try:
                read()
            except OvctError as error:
                assert name in str(error)
            trial.survived += 1
            for beside in tmp_path.glob(f"{name}-*"):
                beside.unlink()


def test_prepared_cases_are_as_stored_or_made_anew(tmp_path: Path, trials: Trials) -> None:
    trial = trials["a damaged prepared case"]
    grid = Grid((2, 3, 4), np.eye(4), (4, 3, 2), np.eye(4))
    stored = StoredCase({"volume": torch.rand(1, 2, 3, 4).half(), "labels": torch.ones(2, 3, 4).byte()}, grid, 0.5)
    path = tmp_path / "case.safetensors"
    write_prepared(path, stored)
    for what in damaged(path):
        trial.tried += 1
        again = read_prepared(path)
        same = again is None or all(torch.equal(again.tensors[name], stored.tensors[name]) for name in stored.tensors)
        trial.survived += same
        trial.let_in += not same
        assert same, what
    assert read_prepared(path) is not None


def test_every_file_of_a_checkpoint(tmp_path: Path, trials: Trials) -> None:
    from models.segmenter import TextSegmenter
    from models.stunet import STUNet
    from models.text import TextEncoder

    trial = trials["a damaged file of a checkpoint"]
    text = TextEncoder.from_pretrained(tiny_encoder(tmp_path / "encoder"))
    folder = tmp_path / "run"
    save_checkpoint(TextSegmenter(STUNet("tiny"), text, "mlp"), folder, PUBLISHED_PREPROCESSING)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for what in damaged(path):
            trial.tried += 1
            try:
                load_checkpoint(folder)
            except (CheckpointError, TextEncoderError) as error:
                found = path.name in str(error)
            else:
                found = False
            trial.survived += found
            trial.let_in += not found
            assert found, what
    load_checkpoint(folder)


def test_no_name_in_a_record_leads_out_of_its_folder(tmp_path: Path) -> None:
    record = save_checkpoint(segmenter(), tmp_path, PUBLISHED_PREPROCESSING)
    whole = json.loads((tmp_path / "checkpoint.json").read_text())
    for change in ({"weights": f"../{record.weights}"}, {"weights": "/etc/passwd"}, {"replaced": ["../x"]}):
        (tmp_path / "checkpoint.json").write_text(json.dumps(whole | change))
        with pytest.raises(CheckpointError):
            load_checkpoint(tmp_path)
    for state in ("../state-1.safetensors", "/etc/passwd", "state-1.safetensors/..", 3):
        resume: Mapping[str, object] = {"step": 1, "state": state, "settings": {}}
        (tmp_path / "resume.json").write_text(json.dumps(resume))
        with pytest.raises(ConfigError, match=r"resume\.json"):
            saved_step(tmp_path, {})
    shutil.rmtree(tmp_path)
