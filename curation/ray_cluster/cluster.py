"""The connection to a Ray cluster: one started on this machine, the one this machine belongs to, or one by address."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from curation.runtime.errors import InputError, extra_hint
from curation.runtime.processes import available_cores

LOCAL, AUTO = "local", "auto"
STORE_BYTES = 512 * 2**20
"""Ray's object store on this machine: batches are small, and few are under way."""


def check_address(address: str) -> None:
    """Raise ``InputError`` for an address that no cluster can have."""
    if not address.strip():
        raise InputError("--ray: expected local, auto, or the address of a cluster's head, such as 10.0.0.5:6379")
    if address.startswith("ray://"):
        raise InputError(
            f"--ray {address}: Ray Client cannot stream a data set; run this on a machine of the cluster with "
            "--ray auto (`ray job submit` does), or give the head's own address, such as 10.0.0.5:6379"
        )


@contextmanager
def connected(address: str, workers: int | None) -> Iterator[Any]:
    """Connect to a cluster and yield the module ``ray``; a cluster that was started for this ends with the block.

    Raises ``InputError`` if Ray is not installed, or if there is no cluster.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError(f"--ray needs Ray Data ({error}): {extra_hint('ray')}") from error
    if ray.is_initialized():
        yield ray
        return
    if address not in (LOCAL, AUTO):
        _check_reachable(address)
    _connect(ray, address, workers)
    try:
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str, workers: int | None) -> None:
    """Start or join the cluster, quietly, and put back the signal handlers that Ray replaces."""
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        options |= {"num_cpus": workers or available_cores(), "include_dashboard": False}
        options["object_store_memory"] = STORE_BYTES
    # Ray reports home otherwise.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(address=address, **options)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise InputError(
            f"--ray {address}: no Ray cluster could be reached ({_first_line(error)}); `ray start --head` starts one "
            "here, `--ray local` needs none"
        ) from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _check_reachable(address: str) -> None:
    """Raise ``InputError`` if nothing listens at the address: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"--ray {address}: nothing answers there ({_first_line(error)}); expected the address of a cluster's head, "
            "such as 10.0.0.5:6379, auto on a machine of the cluster, or local"
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def resource(ray: Any, name: str) -> int:
    """Return how much of a resource the cluster has, such as "CPU" or "GPU"."""
    return int(ray.cluster_resources().get(name, 0))


def alive_nodes(ray: Any) -> int:
    """Return how many nodes the cluster has."""
    return len([node for node in ray.nodes() if node["Alive"]])
