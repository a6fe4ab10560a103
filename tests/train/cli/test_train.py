from pathlib import Path

import pytest
from typer.testing import CliRunner

from ovct import app
from tests.json_schemas import checked
from tests.train.training_worlds import World, flags_of, labelled, make_world, settings

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("cli"))


def ovct(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["train", *map(str, words)])
    return done.exit_code, " ".join(done.output.split())


def test_without_a_stage_it_is_align_with_the_captions_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, told = ovct()
    assert code == 2 and "captions is not there: `ovct curate REPORTS --out captions` makes a caption set" in told
    code, told = ovct("--help")
    assert code == 0 and all(stage in told for stage in ("pretrain", "align", "segment"))
    code, told = ovct("others", "--steps", "3")
    assert code == 2 and "others is not there" in told


def test_a_missing_image_or_volumes_says_what_to_do(world: World, tmp_path: Path) -> None:
    code, told = ovct(world.captions, "--volumes", world.data, "--out", tmp_path / "out", "--accelerator", "cpu")
    assert code == 2 and "image: name the image encoder" in told and "--image PATH" in told
    code, told = ovct(world.captions, "--out", tmp_path / "out", "--accelerator", "cpu")
    assert code == 2 and "--volumes DIR" in told
    code, told = ovct("segment", world.data, "--out", tmp_path / "out", "--accelerator", "cpu")
    assert code == 2 and "start: name the checkpoint" in told
    code, told = ovct(
        "pretrain", tmp_path / "none", "--out", tmp_path / "out", "--accelerator", "cpu", "--size", "tiny"
    )
    assert code == 2 and "not there" in told


def test_each_stage_from_the_command_line(world: World, tmp_path: Path) -> None:
    from models.checkpoint import read_record

    out = tmp_path / "p"
    values = settings("pretrain", world, steps=1, evaluate_every=1, save_every=1, augment=False)
    words = ["pretrain", world.data, "--out", out, *flags_of(values, tmp_path)]
    code, told = ovct(*words)
    assert code == 0 and "dice" in told and read_record(out).stage == "pretrain", told
    code, told = ovct(*words)
    assert code == 0 and "is complete: same data, same settings, nothing to do" in told
    code, told = ovct(*words, "--seed", "4")
    assert code == 2 and "seed was 0, is 4" in told and "--overwrite" in told
    code, told = ovct(*words, "--seed", "4", "--overwrite")
    assert code == 0 and "nothing to do" not in told
    values = settings("align", world, image=str(out), steps=1, save_every=1, evaluate_every=1)
    code, told = ovct(world.captions, "--volumes", world.data, "--out", tmp_path / "a", *flags_of(values, tmp_path))
    assert code == 0 and read_record(tmp_path / "a").stage == "align", told
    values = settings("segment", world, start=str(tmp_path / "a"), steps=1, save_every=1, evaluate_every=1)
    values |= {"hold_out": "1/1", "not_shown": ["head"]}
    code, told = ovct("segment", world.data, "--out", tmp_path / "s", *flags_of(values, tmp_path))
    assert code == 0 and "dice synonyms" in told and "dice held out groups" in told, told
    values["not_shown"] = ["liver"]
    code, told = ovct("segment", world.data, "--out", tmp_path / "t", *flags_of(values, tmp_path))
    assert code == 2 and "not_shown: 'liver' is a structure of the data set (liver)" in told
    stages = [each["stage"] for each in read_record(tmp_path / "s").trained_on]
    assert stages == ["pretrain", "align", "segment"]


def test_settings_from_a_file_with_flags_that_win(world: World, tmp_path: Path) -> None:
    import yaml

    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(settings("pretrain", world, steps=0)))
    code, told = ovct("pretrain", world.data, "--config", file, "--out", tmp_path / "out")
    assert code == 2 and f"{file.name}: steps: at least 1, not 0" in told
    file.write_text(yaml.safe_dump(settings("pretrain", world, steps=500)))
    code, told = ovct("pretrain", world.data, "--config", file, "--steps", "1", "--out", tmp_path / "out")
    assert code == 0 and "after 1 steps" in told, told


def test_checking_tries_a_batch_and_writes_nothing(
    world: World, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = sorted(world.root.rglob("*"))
    folder = tmp_path_factory.mktemp("settings")
    for stage in ("pretrain", "align", "segment"):
        values = settings(stage, world)
        data = [world.captions, "--volumes", world.data] if stage == "align" else [world.data]
        code, told = ovct(stage, *data, "--out", tmp_path / "out", "--check", *flags_of(values, folder))
        assert code == 0 and "parameters train" in told and "peak memory" in told and "s a step" in told, told
        assert "volumes (4," in told
    assert not list(tmp_path.iterdir()) and sorted(world.root.rglob("*")) == before


def test_a_step_that_does_not_fit_into_memory_is_not_tried(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.stages.run.free_bytes", lambda device: 10**6)
    monkeypatch.setattr("train.stages.run.dry_run", lambda *_: pytest.fail("tried"))
    flags = flags_of(settings("pretrain", world), tmp_path)
    code, told = ovct("pretrain", world.data, "--out", tmp_path / "out", "--check", *flags)
    assert code == 0 and "a step does not fit" in told and "not tried: --accumulate" in told, told


def test_checking_tells_in_how_many_cases_each_structure_is(world: World, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data", 6)
    for number in range(1, 6):
        (data / f"s{number}" / "segmentations" / "spleen.nii.gz").unlink()
    for stage in ("pretrain", "segment"):
        flags = flags_of(settings(stage, world, validation=0.0), tmp_path)
        words = [stage, data, "--out", tmp_path / "out", "--check", *flags]
        code, told = ovct(*words)
        assert code == 0 and "structures in 6 training cases" in told and "labelled in 6, present in 1: spleen" in told
        assert "spleen (present in 1 of 6)" in told and "--labelled present" in told
        code, told = ovct(*words, "--labelled", "present")
        assert code == 0 and "labelled in 1, present in 1: spleen" in told and "are absent" not in told
    code, told = ovct(*words, "--labelled", "file")
    assert code == 2 and "has no labelled.json" in told


def test_a_file_where_a_folder_goes(world: World, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    flags = flags_of(settings("pretrain", world), tmp_path)
    code, told = ovct("pretrain", world.data, "--out", tmp_path / "out", *flags)
    assert code == 2 and "is a file; --out names a folder" in told
    assert (tmp_path / "out").read_text() == "mine"


def test_volumes_and_captions_are_read_from_a_store(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are fetched once, and trained on as if they had always been here."""
    import fsspec

    monkeypatch.setenv("OVCT_CACHE", str(tmp_path / "cache"))
    store = fsspec.filesystem("memory")
    store.put(str(world.data), "/scans/dataset", recursive=True)
    store.put(str(world.captions), "/scans/captions", recursive=True)
    values = settings("align", world, steps=1, evaluate_every=1, save_every=1)
    out, flags = tmp_path / "out", flags_of(values, tmp_path)
    words = ["align", "memory://scans/captions", "--volumes", "memory://scans/dataset", "--out", out, *flags]
    code, told = ovct(*words)
    assert code == 0 and "fetching" in told, told
    assert (out / "checkpoint.json").exists()
    code, told = ovct(*words)
    assert code == 0 and "is complete" in told and "fetching" not in told
    store.rm("/scans", recursive=True)


def test_the_figures_are_one_json_object(world: World, tmp_path: Path) -> None:
    values = settings("pretrain", world, steps=1, evaluate_every=1, save_every=1, augment=False)
    flags = [*flags_of(values, tmp_path), "--json"]
    words = ["train", "pretrain", str(world.data), "--out", str(tmp_path / "out"), *flags]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    figures = checked("train", done.stdout)
    assert (figures["folder"], figures["steps"], figures["already_done"]) == (str(tmp_path / "out"), 1, False)
    assert "dice" in figures["held_out_cases"]
    assert checked("train", CliRunner().invoke(app, words).stdout)["already_done"]


def test_a_quiet_run_still_names_what_is_left_out(world: World, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data", 4)
    scan = data / "s1" / "ct.nii.gz"
    scan.write_bytes(scan.read_bytes()[:300])
    values = settings("pretrain", world, steps=1, evaluate_every=1, save_every=1, augment=False)
    words = ["train", "pretrain", str(data), "--out", str(tmp_path / "out"), *flags_of(values, tmp_path), "--quiet"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and done.stdout == "", done.output
    assert "left out" in done.stderr and "s1" in done.stderr


def test_a_trial_has_no_figures(world: World, tmp_path: Path) -> None:
    code, told = ovct("pretrain", world.data, "--out", tmp_path / "out", "--check", "--json")
    assert code == 2 and "--json: not with --check" in told
