"""`ovct curate --ray ADDRESS` on a cluster of several nodes, all of them on this machine, of which one is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.pipeline import CurateJob, curate
from curation.ray_cluster import recipe
from curation.ray_cluster.recipe import RayRecipe
from curation.runtime.progress import Progress
from tests.curation.fakes import fake_recipe, write_reports
from tests.curation.ray_cluster.test_recipe import files

ray = pytest.importorskip("ray", reason="needs the extra ray")

pytestmark = [
    pytest.mark.usefixtures("in_this_process"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def nodes() -> Iterator[Any]:
    """A head with one worker, and a node with two."""
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        yield cluster, cluster.add_node(num_cpus=2)
    finally:
        cluster.shutdown()


def test_a_node_that_is_lost_costs_no_row(nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "BATCH_OF_TEXT", 1)
    cluster, lost_node = nodes
    reports = write_reports(tmp_path / "reports.csv", 900)
    curate(CurateJob(reports, tmp_path / "one"), fake_recipe())

    class Losing(Progress):
        done = 0

        def advance(self) -> None:
            self.done += 1
            if self.done == 200:
                cluster.remove_node(lost_node, allow_graceful=False)

    curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(fake_recipe(seconds=0.002), cluster.address), Losing())
    assert files(tmp_path / "ray") == files(tmp_path / "one")
