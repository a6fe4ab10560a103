import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import load_checkpoint
from models.pooling import EDGES, RANGES
from models.stunet import STUNet
from tests.train.training_worlds import PATCH, PREPROCESSING, World, make_world
from train.alignment.pooled_volumes import PooledVolumes, pool_volume, read_volume
from train.config.options import Running
from train.data.cases import Case
from train.data.dataset import open_dataset, read_case
from train.loop.engine import TrainingEngine
from train.scans.grid import hounsfield_on_grid

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("pooled"), cases=4)


@pytest.fixture(scope="module")
def engine() -> TrainingEngine:
    return TrainingEngine(Running(accelerator="cpu", precision="32-true"))


@pytest.fixture
def aligner(world: World) -> Aligner:
    model = load_checkpoint(world.aligner).model
    assert isinstance(model, Aligner)
    return model


class Counted(PooledVolumes):
    """Counts how often the network runs."""

    runs = 0

    def pooled(self, volume: Tensor, engine: TrainingEngine) -> Tensor:
        self.runs += 1
        return super().pooled(volume, engine)


def cases_of(world: World) -> list[Case]:
    return list(open_dataset(world.data).cases)


def count_made(folder: Path, aligner: Aligner, cases: list[Case], engine: TrainingEngine) -> int:
    """Prepare the cases and return how often the network ran."""
    pooled = Counted(folder, aligner, PREPROCESSING, PATCH)
    assert pooled.prepare(cases, engine, Progress()) == []
    assert all(case in pooled for case in cases)
    return pooled.runs


def test_each_volume_goes_through_the_network_once(
    world: World, aligner: Aligner, engine: TrainingEngine, tmp_path: Path
) -> None:
    cases = cases_of(world)
    assert count_made(tmp_path, aligner, cases, engine) == 4
    assert count_made(tmp_path, aligner, cases, engine) == 0
    pooled = PooledVolumes(tmp_path, aligner, PREPROCESSING, PATCH)
    volume, problem, _ = read_volume(cases[0], PREPROCESSING)
    assert not problem
    expected = pooled.pooled(volume, engine)
    assert pooled[cases[0]].dtype == torch.float32 and pooled[cases[0]].shape == (128,)
    torch.testing.assert_close(pooled[cases[0]], expected, rtol=2e-3, atol=2e-3)


def test_whatever_changes_it_is_made_anew(world: World, engine: TrainingEngine, tmp_path: Path) -> None:
    cases = cases_of(world)[:2]
    model = load_checkpoint(world.aligner).model
    assert isinstance(model, Aligner) and count_made(tmp_path, model, cases, engine) == 2
    os.utime(cases[0].image, ns=(1, 1))
    assert count_made(tmp_path, model, cases, engine) == 1
    with torch.no_grad():
        next(model.image.encoder.parameters()).view(-1)[0] += 1e-3
    assert count_made(tmp_path, model, cases, engine) == 2
    with torch.no_grad():  # what comes after the encoder changes nothing of it
        next(model.projection.parameters()).add_(1)
        next(model.image.decoder.parameters()).view(-1)[0] += 1
    assert count_made(tmp_path, model, cases, engine) == 0
    model.pooling = "mean"
    assert count_made(tmp_path, model, cases, engine) == 2
    for changed in (
        Counted(tmp_path, model, PREPROCESSING, (48, 16, 32)),
        Counted(tmp_path, model, PREPROCESSING.model_copy(update={"spacing_mm": (5.0, 5, 5)}), PATCH),
    ):
        assert cases[0] not in changed


def test_processes_share_the_cases_whoever_is_first(
    world: World, aligner: Aligner, engine: TrainingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingEngine, "gather_objects", lambda self, value: [value])
    monkeypatch.setattr(TrainingEngine, "world", 2)
    for rank, runs in ((0, 2), (1, 2)):
        monkeypatch.setattr(TrainingEngine, "rank", rank)
        pooled = Counted(tmp_path, aligner, PREPROCESSING, PATCH)
        pooled.prepare(cases_of(world), engine, Progress())
        assert pooled.runs == runs
    assert all(case in pooled for case in cases_of(world))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01", None])
def test_a_file_cut_off_is_made_anew(
    world: World, aligner: Aligner, engine: TrainingEngine, tmp_path: Path, content: bytes | None
) -> None:
    case = cases_of(world)[0]
    count_made(tmp_path, aligner, [case], engine)
    (path,) = tmp_path.rglob("*.npy")
    path.write_bytes(path.read_bytes()[:-7] if content is None else content)
    pooled = PooledVolumes(tmp_path, aligner, PREPROCESSING, PATCH)
    assert case not in pooled
    with pytest.raises(KeyError, match="was not prepared"):
        pooled[case]
    assert count_made(tmp_path, aligner, [case], engine) == 1 and case in pooled


def test_what_cannot_be_read_is_told(world: World, aligner: Aligner, engine: TrainingEngine, tmp_path: Path) -> None:
    good, second = cases_of(world)[:2]
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(good.image.read_bytes()[:3000])
    cases = [replace(good, id="cut", image=broken), second, replace(good, id="gone", image=tmp_path / "none.nii.gz")]
    problems = PooledVolumes(tmp_path / "cache", aligner, PREPROCESSING, PATCH).prepare(cases, engine, Progress())
    assert [problem.case_id for problem in problems] == ["cut", "gone"]
    assert "broken.nii.gz" in str(problems[0]) and "none.nii.gz" in str(problems[1])


def test_it_stops_when_asked(world: World, aligner: Aligner, engine: TrainingEngine, tmp_path: Path) -> None:
    class Stopped(Progress):
        left = 2

        def raise_if_interrupted(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Interrupted

    pooled = PooledVolumes(tmp_path, aligner, PREPROCESSING, PATCH)
    with pytest.raises(Interrupted):
        pooled.prepare(cases_of(world), engine, Stopped())
    assert sum(case in pooled for case in cases_of(world)) == 2


def test_windows_side_by_side_are_one_volume(aligner: Aligner) -> None:
    volume = torch.randn(1, 32, 32, 64, generator=torch.Generator().manual_seed(0))
    for pooling in ("mean_max", "mean", "max"):
        aligner.pooling = pooling
        corners = [volume[:, :, h : h + 16, w : w + 32] for h in (0, 16) for w in (0, 32)]
        with torch.no_grad():
            vectors = torch.stack([aligner.pool(corner[None])[0] for corner in corners])
            pooled = pool_volume(aligner, volume, (32, 16, 32))
        mean, most = vectors.mean(dim=0), vectors.amax(dim=0)
        expected = {"mean_max": torch.cat((mean[:64], most[64:])), "mean": mean, "max": most}[pooling]
        torch.testing.assert_close(pooled, expected)


def test_voxels_count_once_however_many_windows_show_them(aligner: Aligner) -> None:
    """A class of every voxel has the volume's own volume, without what was padded; overlapping windows or not."""
    image = STUNet("tiny", num_classes=2)
    with torch.no_grad():
        image.seg_outputs[-1].weight.zero_()  # type: ignore[operator]
        image.seg_outputs[-1].bias.copy_(torch.tensor([-50.0, 50]))  # type: ignore[operator]
    outlining = Aligner(image, aligner.text, pooling="structures").eval()
    for shape in ((32, 16, 32), (50, 23, 32), (20, 10, 40)):
        volume = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            pooled = pool_volume(outlining, volume, PATCH).view(2, -1)
        torch.testing.assert_close(pooled[1, 0], torch.tensor(float(volume.numel())).log1p())
        assert pooled[0].abs().max() < 1e-20


def test_hu_are_read_on_the_networks_grid_and_counted_without_the_padding(
    world: World, aligner: Aligner, engine: TrainingEngine, tmp_path: Path
) -> None:
    """One class of every voxel: its counts are those of the scan's own HU, whatever the network's scaling."""
    image = STUNet("tiny", num_classes=2)
    with torch.no_grad():
        image.seg_outputs[-1].weight.zero_()  # type: ignore[operator]
        image.seg_outputs[-1].bias.copy_(torch.tensor([-50.0, 50]))  # type: ignore[operator]
    model = Aligner(image, aligner.text, pooling="structures_hu").eval()
    case = cases_of(world)[0]
    pooled = PooledVolumes(tmp_path, model, PREPROCESSING, PATCH)
    assert pooled.prepare([case], engine, Progress()) == []
    hounsfield = hounsfield_on_grid(read_case(case), PREPROCESSING)[0]
    read = read_volume(case, PREPROCESSING, hounsfield=True).volume
    torch.testing.assert_close(read[1], hounsfield)
    torch.testing.assert_close(read[:1], read_volume(case, PREPROCESSING).volume)
    counts = pooled[case].view(2, -1)[1, -2 * RANGES : -RANGES].expm1()
    edges = torch.tensor([-torch.inf, *EDGES, torch.inf])
    expected = torch.stack([((hounsfield >= low) & (hounsfield < high)).sum() for low, high in pairwise(edges)])
    torch.testing.assert_close(counts, expected.float(), rtol=0.02, atol=0.02)


def test_structures_come_from_the_whole_network(
    world: World, aligner: Aligner, engine: TrainingEngine, tmp_path: Path
) -> None:
    cases = cases_of(world)[:2]
    image = load_checkpoint(world.image).model
    assert isinstance(image, STUNet)
    model = Aligner(image, aligner.text, pooling="structures").eval()
    assert count_made(tmp_path, model, cases, engine) == 2 and count_made(tmp_path, model, cases, engine) == 0
    with torch.no_grad():
        model.image.seg_outputs[-1].bias[1] += 1  # type: ignore[index, operator]
    assert count_made(tmp_path, model, cases, engine) == 2


def test_a_small_volume_is_padded_in_its_middle(aligner: Aligner) -> None:
    volume = torch.randn(1, 29, 16, 30, generator=torch.Generator().manual_seed(0))
    padded = torch.full((1, 32, 16, 32), float(volume.min()))
    padded[:, 1:30, :, 1:31] = volume
    with torch.no_grad():
        torch.testing.assert_close(pool_volume(aligner, volume, PATCH), aligner.pool(padded[None])[0])
