"""The recipes of `examples/recipes`: every key is known, what their heads estimate is what is counted, and they run."""

import re
import shlex
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner

from models.segmenter import TextSegmenter
from models.stunet import STUNet
from ovct import app
from tests.train.training_worlds import CONFIGS, PATCH, World, make_world
from train.config.loading import load_config
from train.config.options import PretrainConfig, SegmentConfig
from train.stages.cost.report import GIB, fits, hours
from train.stages.cost.stage_cost import StepCost, pretraining_cost, segmenting_cost

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "examples" / "recipes"
FILES = sorted(RECIPES.glob("*/*.yaml"))
# TotalSegmentator v2's classes with background, those of the published weights, and the numbers of BioLORD's embedding.
CLASSES, PUBLISHED_CLASSES, EMBEDDING = 118, 105, 768

pytestmark = pytest.mark.usefixtures("one_thread")


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("recipes") / "world", cases=6)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_key_of_a_recipe_is_known_and_written_once(path: Path) -> None:
    load_config(CONFIGS[path.stem], path, {})
    keys = re.findall(r"^(\w+):", path.read_text(), re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(yaml.safe_load(path.read_text()))


def cost_of(path: Path) -> tuple[StepCost, PretrainConfig | SegmentConfig]:
    """Count a step of a recipe, of the network that it names or, with the recipe's own weights, of STU-Net B."""
    config = load_config(CONFIGS[path.stem], path, {})
    own = path.parent.name == "own-20-cases"
    with torch.device("meta"):
        image = STUNet("B" if own else "L", num_classes=PUBLISHED_CLASSES if own else CLASSES)
        step = {"optimisation": config.optimisation, "world": config.running.devices, "half": True}
        if isinstance(config, PretrainConfig):
            assert config.pretraining.size == "L"
            return pretraining_cost(image, config.crops.patch, **step), config
        assert isinstance(config, SegmentConfig)
        model = TextSegmenter(image, None, config.segmenting.connector, embedding_dim=EMBEDDING)
    prompts = config.prompting.prompts_per_step
    return segmenting_cost(model, config.crops.patch, prompts, unlock_image=False, **step), config


@pytest.mark.parametrize("path", [path for path in FILES if path.stem in ("pretrain", "segment")], ids=name_of)
def test_the_estimate_in_the_head_of_a_recipe_is_what_is_counted(path: Path) -> None:
    cost, config = cost_of(path)
    head = path.read_text().split("\n\n")[0]
    told = re.search(r"a step takes ([\d.]+) TFLOP, ([\d.]+) GiB", head)
    assert told and float(told[1]) == pytest.approx(cost.flops / 1e12, rel=0.005)
    assert float(told[2]) == pytest.approx(cost.bytes / GIB, rel=0.005)
    assert fits(cost, int({"one-gpu-80gb": 79.2, "four-gpus-40gb": 39.4, "own-20-cases": 7.5}[path.parent.name] * GIB))
    if told_hours := re.search(r"all of them take ([\d.]+) h on A100", head):
        assert float(told_hours[1]) == pytest.approx(hours(cost, config.optimisation.steps, 312), rel=0.03)
        steps = config.optimisation.steps
        assert steps * config.optimisation.batch_size == 500 * 1082 and f"{steps:,} steps" in head


def commands() -> list[list[str]]:
    """Return the words of every `ovct train` in the recipes' README."""
    lines = (RECIPES / "README.md").read_text().splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("ovct train ")]


def stand_ins(words: list[str], folder: str, world: World, out: Path) -> list[str]:
    """Return a command of the README with tiny data, a tiny network and a tiny encoder in place of what it names."""
    there = {
        "Totalsegmentator_dataset_v201": str(world.data), "OUR_CASES": str(world.data), "captions": str(world.captions),
        "CT-RATE/dataset/train_fixed": str(world.data), "runs/words": str(world.encoder),
        "FremyCompany/BioLORD-2023": str(world.encoder), "base_ep4k.model": str(world.image),
        "runs/pretrain": str(world.image), "runs/align": str(world.aligner), "cache": str(out / "cache"),
    }  # fmt: skip
    place = {"--out": str(out)}
    words = [place.get(words[index - 1], there.get(word, word)) for index, word in enumerate(words)]
    words = [str(ROOT / word).replace("one-gpu-80gb", folder) if word.endswith(".yaml") else word for word in words]
    stage = words[1]
    tiny = {
        "pretrain": ["--size", "tiny", "--patch", *map(str, PATCH), "--spacing-mm", "10", "10", "10"],
        "align": ["--window", *map(str, PATCH), "--anchor-weight", "0"],
        "segment": ["--patch", *map(str, PATCH)],
        "words": ["--text", str(world.encoder)],
    }[stage]
    devices = ["--accelerator", "cpu", "--devices", "1", "--precision", "32-true"]
    return [*words, *tiny, "--batch-size", "4", "--accumulate", "1", "--workers", "0", *devices, "--check"]


@pytest.mark.parametrize("folder", ["one-gpu-80gb", "four-gpus-40gb"])
@pytest.mark.parametrize("words", commands(), ids=lambda words: words[1])
def test_the_commands_of_the_recipes_run_on_folders_of_that_kind(
    folder: str, words: list[str], world: World, tmp_path: Path
) -> None:
    if "own-20-cases" in " ".join(words) and folder != "one-gpu-80gb":
        pytest.skip("it is one recipe")
    if words[1] == "words":
        words = [word for word in words if word != "--cache"]
    done = CliRunner().invoke(app, stand_ins(words, folder, world, tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert "s a step" in done.output and "steps take about" in done.output.replace("\n", " ")
    if words[1] in ("pretrain", "segment"):
        told = " ".join(done.output.split())
        assert (
            "estimated for a step of 4 samples" in told
            and "A100 80 GB" in told
            and "to prepare a case: 6 cases" in told
        )
    assert not (tmp_path / "out").exists()
