"""Addresses of clusters, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from curation.pipeline import CurateJob, curate
from curation.ray_cluster.cluster import connected
from curation.ray_cluster.recipe import RayRecipe
from curation.runtime.errors import InputError
from tests.curation.fakes import fake_recipe, write_reports


def test_without_ray_the_flag_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--ray needs Ray Data .*pip install '\.\[ray\]'"), connected("local", 1):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:1", "head", "127.0.0.1:99999999"])
def test_an_address_where_nothing_answers_is_told_at_once(address: str) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(InputError, match=f"--ray {address}: nothing answers there"), connected(address, None):
        pass


@pytest.mark.parametrize(
    ("address", "message"),
    [("ray://head:10001", "Ray Client cannot stream"), (" ", "expected local, auto, or the address")],
)
def test_addresses_that_cannot_be(address: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        RayRecipe(fake_recipe(), address)


def test_no_cluster_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="needs the extra ray")

    def fail(**options: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.setattr(ray, "init", fail)
    reports = write_reports(tmp_path / "reports.csv", 5)
    with pytest.raises(InputError, match=r"--ray auto: no Ray cluster could be reached .*`ray start --head`"):
        curate(CurateJob(reports, tmp_path / "set"), RayRecipe(fake_recipe(), "auto"))
