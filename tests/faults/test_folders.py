"""What a run did not make is never removed or replaced: every command refuses a folder that is not its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.api.plot import draw_plot
from curation.audit.cleaning import write_cleaned_set
from curation.caption_set.kept_files import keep_site_words
from curation.caption_set.manifest import load_manifest
from curation.caption_set.merging import merge
from curation.caption_set.sharding import Shard
from curation.caption_set.stats import draw, summary_of
from curation.language.site_words import SiteWords
from curation.pipeline import CurateJob, curate
from curation.replay import replay
from curation.runtime.errors import InputError, OvctError
from curation.runtime.made_files import MADE_FILES, MadeFiles
from curation.runtime.names import path_within
from curation.runtime.progress import Progress
from curation.verify_table import VerifyJob, verify_table
from curation.word_suggestions.proposal_files import check_free
from examples.phantoms.__main__ import main as phantoms
from models.checkpoint import save_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING
from tests.curation.audit.builders import give_verdicts, open_audit, plain_reports, write_set
from tests.curation.fakes import FakeChat, FakeVerifier, fake_recipe, write_reports
from tests.curation.llm.chat_sets import job, run
from tests.faults.trials import Trials
from tests.models.tiny import segmenter
from train.config.options import ConfigError
from train.evaluation.comparison_report import claim_comparison
from train.evaluation.record import lock_folder
from train.inference.outputs import Outputs
from train.loop.run_folder import begun_folder

# Names that some command writes, in a folder of somebody else.
TEMPTING = (
    "README.md captions.png prompt.yaml skipped.jsonl site_lexicon.yaml reports/part-00000.parquet captions/a.parquet "
    "audit/notes.md .work/notes.txt weights-old.pt text-notes/a.txt resume/mine.txt resume/state-3.safetensors "
    "metrics.jsonl curves.png samples/step-1/a.png tensorboard/events.out.tfevents.1.mine cache/a.safetensors "
    "cases.jsonl summary.json summary.csv prompts.csv report.html previews/a.png comparison.json comparison.csv "
    "dataset/s0001/ct.nii.gz reports.csv truth.csv mask.json mask.png mask_probabilities/liver.nii.gz"
).split()


def fill(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"mine: {name}".encode())


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def curated(root: Path, out: Path, **options: object) -> None:
    curate(CurateJob(root / "reports.csv", out, workers=1, reports_per_part=5, **options), fake_recipe())  # type: ignore[arg-type]


def trained(out: Path, overwrite: bool) -> None:
    with begun_folder(out, overwrite=overwrite):
        save_checkpoint(segmenter(), out, PUBLISHED_PREPROCESSING)


def evaluated(out: Path) -> None:
    with lock_folder(out):
        pass


def wrong_phantoms(out: Path, *options: str) -> None:
    if phantoms([str(out), "--count", "1", "--jobs", "1", *options]):
        raise InputError("refused")


COMMANDS: dict[str, Callable[[Path, Path], object]] = {
    "curate": lambda root, out: curated(root, out),
    "curate --overwrite": lambda root, out: curated(root, out, overwrite=True),
    "merge": lambda root, out: merge([root / "shard"], out),
    "merge --overwrite": lambda root, out: merge([root / "shard"], out, overwrite=True),
    "train": lambda root, out: trained(out, False),
    "train --overwrite": lambda root, out: trained(out, True),
    "evaluate": lambda root, out: evaluated(out),
    "evaluate --compare": lambda root, out: claim_comparison(out, "a", "b"),
    "phantoms": lambda root, out: wrong_phantoms(out),
    "phantoms --overwrite": lambda root, out: wrong_phantoms(out, "--overwrite"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_reports(tmp_path / "reports.csv", 12)
    curated(tmp_path, tmp_path / "shard", shard=Shard(1, 1))
    return tmp_path


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_folder_of_somebody_else_is_refused(command: str, root: Path, trials: Trials) -> None:
    trial = trials["a folder of somebody else, for each command that writes one"]
    out = root / "out"
    for names in (TEMPTING, [".work/notes.txt"], ["metrics.jsonl"], ["README.md"]):
        fill(out, list(names))
        before = tree(out)
        trial.tried += 1
        with pytest.raises((OvctError, ConfigError, ValueError)):
            COMMANDS[command](root, out)
        assert tree(out) == before
        trial.survived += 1
        for path in sorted(out.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


def test_what_others_put_into_a_run_stays(tmp_path: Path) -> None:
    names = [
        "weights-old.pt",
        "text-notes/a.txt",
        "resume/mine.txt",
        "samples/mine.png",
        "tensorboard/mine",
        "notes.txt",
    ]
    trained(tmp_path, False)
    fill(tmp_path, names)
    for overwrite in (False, True):
        trained(tmp_path, overwrite)
        assert all((tmp_path / name).read_bytes() == f"mine: {name}".encode() for name in names)


def test_a_set_keeps_what_is_not_its_own(root: Path) -> None:
    out = root / "own"
    curated(root, out)
    draw_plot(out, load_manifest(out))
    for name in ("captions/part-00009.parquet", ".work/mine.txt"):
        fill(out, [name])
        with pytest.raises(OvctError, match=Path(name).name):
            curated(root, out, overwrite=True)
        assert (out / name).read_bytes() == f"mine: {name}".encode()
        (out / name).unlink()
    (out / ".work").rmdir()
    card = (out / "README.md").read_text() + "\nWritten by me.\n"
    (out / "README.md").write_text(card)
    curated(root, out, license="cc0-1.0")
    assert (out / "README.md").read_text() == card and load_manifest(out).license == "cc0-1.0"
    (out / "README.md").write_text("# Mine")
    with pytest.raises(OvctError, match=r"README\.md is no data card of ours"):
        curated(root, out, overwrite=True)
    assert (out / "README.md").read_text() == "# Mine"


@pytest.mark.parametrize("name", ["prompt.yaml", "site_lexicon.yaml", "site_organs.yaml", "skipped.jsonl"])
def test_a_set_keeps_files_that_are_called_like_its_own(name: str, root: Path) -> None:
    curated(root, root / "own")
    merge([root / "shard"], root / "merged")
    fill(root, [f"own/{name}", f"merged/{name}"])
    calls: dict[str, Callable[[], object]] = {
        "own": lambda: curated(root, root / "own", overwrite=True),
        "own, another licence": lambda: curated(root, root / "own", license="cc0-1.0"),
        "merged": lambda: merge([root / "shard"], root / "merged", overwrite=True),
    }
    for case, call in calls.items():
        folder = root / case.partition(",")[0]
        with pytest.raises(OvctError, match=rf"{name} is not what a run of this set wrote.*move it away"):
            call()
        assert (folder / name).read_bytes() == f"mine: {folder.name}/{name}".encode()
        assert name not in (load_manifest(folder).files or {})


@pytest.mark.parametrize("name", ["prompt.yaml", "site_lexicon.yaml", "site_organs.yaml", "skipped.jsonl"])
def test_a_merge_takes_no_file_that_the_shard_did_not_write(name: str, root: Path) -> None:
    fill(root, [f"shard/{name}"])
    with pytest.raises(OvctError, match=rf"shard/{name} was written by no run of this set .*is not used: move it away"):
        merge([root / "shard"], root / "merged")
    assert not (root / "merged").exists() and (root / "shard" / name).read_bytes() == f"mine: shard/{name}".encode()
    (root / "shard" / name).unlink()
    merge([root / "shard"], root / "merged")
    assert not (root / "merged" / name).exists()


@pytest.mark.parametrize("name", ["prompt.yaml", "site_lexicon.yaml", "site_organs.yaml", "skipped.jsonl"])
def test_a_cleaned_set_takes_no_file_that_the_audited_one_did_not_write(name: str, tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(6))
    with open_audit(tmp_path / "set") as store:
        give_verdicts(store, "ann", ["hallucinated", "supported"])
        fill(tmp_path, [f"set/{name}"])
        with pytest.raises(OvctError, match=rf"set/{name} was written by no run of this set"):
            write_cleaned_set(tmp_path / "set", tmp_path / "cleaned", store, Progress())
        (tmp_path / "set" / name).unlink()
        write_cleaned_set(tmp_path / "set", tmp_path / "cleaned", store, Progress())


@pytest.mark.parametrize("name", ["site_lexicon.yaml", "site_organs.yaml", "skipped.jsonl"])
def test_a_replay_keeps_files_that_are_called_like_those_of_the_set(name: str, tmp_path: Path) -> None:
    run(tmp_path, FakeChat())
    fill(tmp_path, [f"set/{name}"])
    before = tree(tmp_path / "set")
    with pytest.raises(OvctError, match=rf"{name} is not what a run of this set wrote.*move it away"):
        replay(tmp_path / "set")
    assert tree(tmp_path / "set") == before


def test_a_replay_refuses_a_list_of_problem_rows_that_was_changed(tmp_path: Path) -> None:
    with job(tmp_path).reports.open("a") as file:
        file.write("r99,\n")
    run(tmp_path, FakeChat())
    assert "skipped.jsonl" in (replay(tmp_path / "set").files or {})
    (tmp_path / "set" / "skipped.jsonl").write_text("{}\n")
    with pytest.raises(OvctError, match=r"skipped\.jsonl is not what a run of this set wrote"):
        replay(tmp_path / "set")


def test_a_replay_that_was_killed_after_it_wrote_new_words_goes_on(tmp_path: Path) -> None:
    words = SiteWords(b"findings: [onion sign]\n", None)
    run(tmp_path, FakeChat())
    (tmp_path / "set" / ".work").mkdir()
    keep_site_words(tmp_path / "set", words)
    assert replay(tmp_path / "set", words=words).settings.site_lexicon == words.hashes.site_lexicon


def test_links_to_the_files_of_a_shard_are_followed(root: Path) -> None:
    """As in the cache of a hub, whose files are links to others."""
    linked = root / "linked" / "deep" / "shard"
    for path in (path for path in (root / "shard").rglob("*") if path.is_file()):
        place = linked / path.relative_to(root / "shard")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(path, place.parent))
    merge([linked], root / "merged")
    assert not [path for path in (root / "merged").rglob("*") if path.is_symlink()]
    assert tree(root / "merged" / "captions") == tree(root / "shard" / "captions")


def test_a_list_of_problem_rows_is_replaced_where_it_is_ours(root: Path) -> None:
    with (root / "reports.csv").open("a") as file:
        file.write("r99,\n")
    for _ in range(2):
        curated(root, root / "own", overwrite=True)
        assert "r99" not in (root / "own" / "skipped.jsonl").read_text()
    (root / "own" / "skipped.jsonl").write_text("my notes")
    with pytest.raises(OvctError, match=r"skipped\.jsonl is not what a run of this set wrote"):
        curated(root, root / "own", overwrite=True)


def test_a_file_of_somebody_else_is_refused(root: Path) -> None:
    out = root / "mine.parquet"
    out.write_bytes(b"mine")
    job = VerifyJob(root / "reports.csv", root / "shard" / "captions", out, workers=1)
    with pytest.raises(InputError, match="was not written by `ovct verify`"):
        verify_table(job, FakeVerifier)
    manifest = load_manifest(root / "shard")
    for name in ("plot.png", "plot.svg"):
        (root / name).write_bytes(b"mine")
        with pytest.raises(InputError, match="is no plot of ovct"):
            draw(summary_of(root, manifest), root / name)
    (root / "words.yaml").write_bytes(b"mine: []")
    with pytest.raises(InputError, match="holds no proposals of ours"):
        check_free(root / "words.yaml", overwrite=True)
    for name in ("mask.nii.gz", "mask.json", "mask.png", "mask.dcm"):
        (root / name).write_bytes(b"mine")
        outputs = Outputs(root / "mask.nii.gz", preview=True, dicom_seg=True, overwrite=True)
        with pytest.raises(ValueError, match="was not written by `ovct segment`"):
            outputs.prepare(root / "ct.nii.gz", [])
        assert (root / name).read_bytes() == b"mine"
        (root / name).unlink()


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/../../b", "a\\..\\b", "C:/a", "C:\\a", "\\\\host\\a", "", ".", "a\0b", "a\nb", ".."]
)
def test_no_name_leads_out_of_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the store: .* is no name of a file below"):
        path_within(tmp_path, name, "the store")


@pytest.mark.parametrize("name", ["a", "a/b.txt", ".hidden", "a..b", "ünï çødé", "scan:1"])
def test_plain_names_stay(name: str, tmp_path: Path) -> None:
    assert path_within(tmp_path, name, "the store") == tmp_path / name


def test_the_list_of_what_was_made(tmp_path: Path) -> None:
    made = MadeFiles(tmp_path, "thing")
    made.claim("a", "b")
    (tmp_path / "a").write_text("ours")
    (tmp_path / "c").write_text("mine")
    with (tmp_path / MADE_FILES).open("a") as file:
        file.write('{"made": "c')  # as a kill leaves it
    again = MadeFiles(tmp_path, "thing")
    assert again.names() == ["a", "b"] and again.foreign() == ["c"]
    with pytest.raises(InputError, match="was not made by a thing"):
        again.claim("c")
    again.claim("d")
    again.remove(["a", "b", "c"])
    assert MadeFiles(tmp_path, "thing").names() == ["a", "b", "d"]
    assert {path.name for path in tmp_path.iterdir()} == {"c", MADE_FILES}
    with pytest.raises(InputError, match="no folder of a person"):
        MadeFiles(tmp_path, "person")


def test_the_cleaned_set_leaves_a_folder_that_is_in_its_way(tmp_path: Path) -> None:
    from tests.curation.audit.builders import give_verdicts, open_audit, plain_reports, write_set

    write_set(tmp_path / "set", plain_reports(5))
    fill(tmp_path, [".clean.tmp/mine.txt"])
    with open_audit(tmp_path / "set") as store:
        give_verdicts(store, "ann", ["hallucinated"])
        with pytest.raises(OvctError, match="was made by no run"):
            write_cleaned_set(tmp_path / "set", tmp_path / "clean", store, Progress())
    assert (tmp_path / ".clean.tmp" / "mine.txt").exists()
    # What a run has finished that was killed before it could name it is its own.
    (tmp_path / ".clean.tmp" / "mine.txt").rename(tmp_path / "mine.txt")
    (tmp_path / ".clean.tmp").rmdir()
    with open_audit(tmp_path / "set") as store:
        write_cleaned_set(tmp_path / "set", tmp_path / "clean", store, Progress())
        (tmp_path / "clean").rename(tmp_path / ".clean.tmp")
        write_cleaned_set(tmp_path / "set", tmp_path / "clean", store, Progress())
    assert (tmp_path / "clean" / "manifest.json").exists() and not (tmp_path / ".clean.tmp").exists()


def test_what_a_block_made_before_it_failed_is_on_the_list(tmp_path: Path) -> None:
    made = MadeFiles(tmp_path / "out", "test")
    made.claim()
    with pytest.raises(OSError, match="full"), made.noting("pictures"):
        (tmp_path / "out" / "pictures").mkdir()
        (tmp_path / "out" / "pictures" / "a.png").touch()
        raise OSError("the disk is full")
    assert "pictures/a.png" in made
