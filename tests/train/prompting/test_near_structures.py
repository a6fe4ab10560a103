import numpy as np
import pytest

from prompts.vocabulary import load_vocabulary
from tests.train.training_worlds import BOXES, World, make_world, settings
from train.config.loading import load_config
from train.config.options import SegmentConfig
from train.data.structure_prompts import build_structure_prompts
from train.prompting.near_structures import measure_distances, near_structures
from train.stages.open_segmentation import open_segmentation

STRUCTURES = ("kidney_left", "kidney_right", "spleen", "liver", "vertebrae_L1", "vertebrae_L2", "vertebrae_L3")


def near(distances: np.ndarray) -> dict[str, tuple[str, ...]]:
    return near_structures(build_structure_prompts(STRUCTURES).names, distances, load_vocabulary())


def test_the_other_side_neighbouring_levels_and_what_is_nearest() -> None:
    places = np.array([0.0, 100, 10, 60, 30, 40, 50])
    found = near(np.abs(places[:, None] - places[None]))
    assert found["kidney_left"][0] == "kidney_right" and {"spleen", "vertebrae_L1"} <= set(found["kidney_left"])
    assert found["vertebrae_L1"][:2] == ("vertebrae_L2", "vertebrae_L3")
    assert all(name not in neighbours for name, neighbours in found.items())


def test_what_is_never_seen_together_is_near_by_the_vocabulary_alone() -> None:
    found = near(np.full((7, 7), np.nan))
    assert found["kidney_left"] == ("kidney_right",) and found["liver"] == ()
    assert set(found["vertebrae_L2"]) == {"vertebrae_L1", "vertebrae_L3"}


def test_distances_are_those_of_the_prepared_cases(tmp_path_factory: pytest.TempPathFactory) -> None:
    world: World = make_world(tmp_path_factory.mktemp("near"), cases=3)
    config = load_config(SegmentConfig, None, settings("segment", world))
    task = open_segmentation([world.data], config, tmp_path_factory.mktemp("cache"))
    distances = measure_distances(task.data)
    assert distances.shape == (len(BOXES),) * 2 and np.isfinite(distances).all()
    np.testing.assert_allclose(distances, distances.T)
    assert (np.diag(distances) == 0).all() and (distances[~np.eye(len(BOXES), dtype=bool)] > 0).all()
