"""`torchrun -- ovct train STAGE` as the README has it: two processes of one machine, and of two that meet somewhere."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training_worlds import ALIKE, CONFIGS, World, flags_of, make_world, settings, trained, weights
from train.run_log import read_metrics

ROOT = Path(__file__).resolve().parents[1]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("torchrun") / "world")


def started(nodes: list[list[str]], words: list[str]) -> list[subprocess.Popen[str]]:
    """`torchrun` on each of the nodes, all of them here."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"}
    # Without the two hyphens, torchrun takes `--start` for one of its own options.
    calls = [[*TORCHRUN, *node, "--", str(ROOT / "ovct.py"), "train", *words] for node in nodes]
    to = subprocess.PIPE
    return [subprocess.Popen(call, env=environment, stdout=to, stderr=subprocess.STDOUT, text=True) for call in calls]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("stage", CONFIGS)
def test_two_processes_learn_what_one_does_in_two_parts(stage: str, world: World, tmp_path: Path) -> None:
    values = settings(stage, world, **ALIKE)
    data = [str(world.captions), "--volumes", str(world.data)] if stage == "align" else [str(world.data)]
    out = tmp_path / "two"
    words = [stage, *data, "--out", str(out), *flags_of(values)]
    if stage == "align":
        meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free_port()}", "--rdzv-id", "ovct"]
        nodes = [["--nnodes", "2", "--nproc-per-node", "1", *meeting]] * 2
    else:
        nodes = [["--standalone", "--nproc-per-node", "2"]]
    for process in started(nodes, words):
        told, _ = process.communicate(timeout=280)
        assert process.returncode == 0, told
    lines = read_metrics(out / "metrics.jsonl")
    assert [line["step"] for line in lines if line["kind"] == "train"] == [1, 2, 3]
    trained(stage, world, tmp_path / "one", **ALIKE, accumulate=2)
    alone, together = weights(tmp_path / "one"), weights(out)
    assert alone.keys() == together.keys()
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, atol=1e-5, rtol=1e-5)
