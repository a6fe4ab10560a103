from pathlib import Path

import pytest

from train.config.loading import load_config
from train.config.options import (
    AlignConfig,
    ConfigError,
    Optimisation,
    PretrainConfig,
    SegmentConfig,
    StageConfig,
    flat,
)

STAGES: list[type[StageConfig]] = [PretrainConfig, AlignConfig, SegmentConfig]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return path


def test_defaults_then_file_then_flags(tmp_path: Path) -> None:
    path = written(tmp_path, "steps: 7\npatch: [32, 16, 64]\nweights: a.model\naugment: no\n")
    config = load_config(PretrainConfig, path, {"steps": 9, "seed": 3})
    assert (config.optimisation.steps, config.running.seed) == (9, 3)
    assert config.crops.patch == (32, 16, 64) and not config.crops.augment
    assert config.pretraining.weights == "a.model"
    assert config.optimisation.batch_size == Optimisation().batch_size


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_flat_is_read_back(stage: type[PretrainConfig], tmp_path: Path) -> None:
    import yaml

    values = {name: list(value) if isinstance(value, tuple) else value for name, value in flat(stage()).items()}
    assert load_config(stage, written(tmp_path, yaml.safe_dump(values)), {}) == stage()
    assert load_config(stage, written(tmp_path, ""), {}) == stage()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("stepz: 3", "no setting is called 'stepz'; there are absent_words, accelerator"),
        ("steps: many", "steps: 'many' will not do"),
        ("steps: 1.5", "steps: 1.5 will not do"),
        ("patch: [32, 32]", "patch"),
        ("patch: [32, 32, 0]", "patch (32, 32, 0)"),
        ("precision: fp8", "precision: 'fp8' will not do"),
        ("on_problem: cry", "on_problem"),
        ("steps: 0", "steps: at least 1, not 0"),
        ("foreground: 1.5", "foreground 1.5"),
        ("foreground: -1", "foreground: at least 0, not -1"),
        ("validation: 1", "validation 1"),
        ("ema: 1", "ema 1"),
        ("learning_rate: .nan", "learning_rate"),
        ("merged: 2", "merged"),
        ("rescue_weight: 0", "the setting 'rescue_weight' is called 'missed_structure_weight' now"),
        ("- steps", "lines such as `steps: 1000` are expected, not a list"),
        ("steps: [", "cannot be read as YAML"),
    ],
)
def test_what_will_not_do_is_named_with_its_file(line: str, text: str, tmp_path: Path) -> None:
    path = written(tmp_path, line)
    with pytest.raises(ConfigError) as error:
        load_config(SegmentConfig, path, {})
    assert str(error.value).startswith(str(path)) and text in str(error.value)


def test_a_flag_that_will_not_do_is_not_the_files_fault(tmp_path: Path) -> None:
    path = written(tmp_path, "steps: 3")
    with pytest.raises(ConfigError) as error:
        load_config(PretrainConfig, path, {"batch_size": 0})
    assert str(error.value) == "batch_size: at least 1, not 0"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        load_config(PretrainConfig, tmp_path / "none.yaml", {})


def test_settings_of_another_stage_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no setting is called 'captions_per_report'"):
        load_config(PretrainConfig, written(tmp_path, "captions_per_report: 3"), {})


@pytest.mark.parametrize(
    ("name", "value", "new_name"),
    [("words_weight", 0.5, "anchor_weight"), ("reading", "joint", "mgcl_variant")],
)
def test_an_old_name_leads_to_the_new_one(name: str, value: object, new_name: str, tmp_path: Path) -> None:
    flag = f"--{new_name.replace('_', '-')}"
    for path, flags in ((written(tmp_path, f"{name}: {value}"), {}), (None, {name: value})):
        with pytest.raises(ConfigError) as error:
            load_config(AlignConfig, path, flags)
        prefix = f"{path}: " if path else ""
        assert str(error.value) == f"{prefix}the setting {name!r} is called {new_name!r} now (as a flag {flag})"
    with pytest.raises(ConfigError, match=f"no setting is called {name!r}"):
        load_config(PretrainConfig, None, {name: value})
