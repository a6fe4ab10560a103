"""Any recipe, carried out on a Ray cluster."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from curation.caption import MadeBy
from curation.caption_set.writer import RESPONSES, CaptionSetWriter
from curation.extraction.recipe import OpenPool, Options
from curation.extraction.text_engine import TextRecipe
from curation.report import Report
from curation.runtime.errors import InputError
from curation.runtime.processes import available_cores
from curation.runtime.progress import Progress

from .pool import Places, RayPool
from .worker import TextLabour, Trade

if TYPE_CHECKING:
    from concurrent.futures import Future

    from curation.engines.chat import Answer
    from curation.llm.pool import ChatRecipe
    from curation.llm.usage import Meter

LOCAL, AUTO = "local", "auto"
# Times the batch of one machine.
BATCH_OF_TEXT = 16
BATCH_OF_CHATS = 2
STORE_BYTES = 512 * 2**20
"""Ray's object store on this machine: batches are small, and few are under way."""


@dataclass(frozen=True, slots=True)
class OnRay:
    """A recipe on a cluster: ``local`` starts one of ``workers`` processes on this machine, ``auto`` takes the one that
    this machine belongs to, any other address the one whose head is there.
    """

    recipe: TextRecipe | ChatRecipe
    address: str
    workers: int | None = None

    def __post_init__(self) -> None:
        if not self.address.strip():
            raise InputError("--ray: expected local, auto, or the address of a cluster's head, such as 10.0.0.5:6379")
        if self.address.startswith("ray://"):
            raise InputError(
                f"--ray {self.address}: Ray Client cannot stream a data set; run this on a machine of the cluster with "
                "--ray auto (`ray job submit` does), or give the head's own address, such as 10.0.0.5:6379"
            )

    @property
    def made_by(self) -> MadeBy:
        """As the recipe."""
        return self.recipe.made_by

    @property
    def options(self) -> Options:
        """As the recipe: where the work is done decides no row."""
        return self.recipe.options

    @property
    def prompt_file(self) -> bytes | None:
        """As the recipe."""
        return self.recipe.prompt_file

    @property
    def reports_per_part(self) -> int:
        """As the recipe."""
        return self.recipe.reports_per_part

    @property
    def batch_reports(self) -> int:
        """More than on one machine: a batch costs Ray some hundredths of a second, whatever is in it."""
        return self.recipe.batch_reports * (BATCH_OF_TEXT if isinstance(self.recipe, TextRecipe) else BATCH_OF_CHATS)

    @contextmanager
    def started(self, progress: Progress) -> Iterator[OpenPool]:
        """With the cluster at hand."""
        with connected(self.address, self.workers) as ray:
            yield partial(_open, self, ray, progress)


@contextmanager
def connected(address: str, workers: int | None) -> Iterator[Any]:
    """The module ``ray``, connected to a cluster; one that was started for this is ended with the block.

    Raises ``InputError`` where Ray is not installed, or there is no cluster.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError(f"--ray needs Ray Data ({error}): pip install 'ovct[ray]'") from error
    if ray.is_initialized():
        yield ray
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    here: dict[str, Any] = {}
    if address == LOCAL:
        here = {"num_cpus": workers or available_cores(), "include_dashboard": False}
        here["object_store_memory"] = STORE_BYTES
    elif address != AUTO:
        _check_reachable(address)
    # Ray reports home otherwise.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(address=address, **quiet, **here)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise InputError(
            f"--ray {address}: no Ray cluster could be reached ({_line(error)}); `ray start --head` starts one here, "
            "`--ray local` needs none"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Ray itself tries for minutes, and tells of it in its own words. Raises ``InputError``."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"--ray {address}: nothing answers there ({_line(error)}); expected the address of a cluster's head, such "
            "as 10.0.0.5:6379, auto on a machine of the cluster, or local"
        ) from error


def _line(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__


@contextmanager
def _open(asked: OnRay, ray: Any, progress: Progress, captions: CaptionSetWriter, count: int) -> Iterator[Any]:
    opened: AbstractContextManager[RayPool | ChatsOnRay]
    if isinstance(asked.recipe, TextRecipe):
        opened = _of_text(asked.recipe, ray, asked.workers)
    else:
        opened = _of_chats(asked.recipe, ray, asked.workers, captions, progress)
    with opened as pool:
        try:
            yield pool
        except BaseException:
            pool.close(finished=False)
            raise
        if lost := pool.lost():
            progress.message(f"{lost:,} batches were begun again, for their worker was lost")
        pool.close(finished=True)


@contextmanager
def _of_text(recipe: TextRecipe, ray: Any, workers: int | None) -> Iterator[RayPool]:
    places = Places(workers or _resource(ray, "CPU"))
    yield RayPool(ray, Trade(partial(TextLabour, recipe)), places, lambda report: {}, lambda more: None)


@contextmanager
def _of_chats(
    recipe: ChatRecipe, ray: Any, workers: int | None, captions: CaptionSetWriter, progress: Progress
) -> Iterator[ChatsOnRay]:
    from curation.llm.responses import ResponseStore
    from curation.llm.usage import Meter

    with closing(ResponseStore(captions.work / RESPONSES, captions.manifest.settings.answers_digest())) as store:
        meter = Meter(store.spent(), recipe.prices, store.spend, progress.message)
        captions.usage = meter.usage
        pool = ChatsOnRay(recipe, ray, _places(recipe, ray, workers), store, meter, progress)
        try:
            yield pool
        finally:
            pool.note()
            meter.flush()


def _places(recipe: ChatRecipe, ray: Any, workers: int | None) -> Places:
    """An engine of vLLM for each of its GPUs, or one where there are none; of a server, an actor on each node."""
    if recipe.made_by.engine != "vllm":
        return Places(workers or len([node for node in ray.nodes() if node["Alive"]]), actors=True, at_once=2)
    gpus = _resource(ray, "GPU")
    if not gpus:
        return Places(workers or 1, actors=True, at_once=2)
    if gpus < recipe.gpus:
        raise InputError(f"--tensor-parallel-size {recipe.gpus}: the cluster has {gpus} GPUs")
    return Places(workers or gpus // recipe.gpus, actors=True, gpus=recipe.gpus, at_once=2)


def _resource(ray: Any, name: str) -> int:
    return int(ray.cluster_resources().get(name, 0))


class ChatsOnRay:
    """Batches for language models on a cluster; answers and ledger stay with this process."""

    def __init__(
        self, recipe: ChatRecipe, ray: Any, places: Places, store: Any, meter: Meter, progress: Progress
    ) -> None:
        from .chat_worker import ChatLabour, Told

        self._recipe, self._store, self._meter, self._progress = recipe, store, meter, progress
        self._again = not store.empty
        self._told: SimpleQueue[Told] = SimpleQueue()
        self._pool = RayPool(ray, Trade(partial(ChatLabour, recipe)), places, self._known, self._told.put)
        self.ahead = self._pool.ahead

    def submit(self, reports: list[Report]) -> Future[list[tuple[bytes, bool]]]:
        """Begin a batch."""
        self.note()
        self._meter.begin()
        return self._pool.submit(reports)

    def note(self) -> None:
        """Keep what workers have told since the last time. In the thread that opened the store."""
        while True:
            try:
                told = self._told.get_nowait()
            except Empty:
                return
            for key, answer in told.answers.items():
                self._store.keep(key, answer)
            self._meter.end(told.spent)
            for accepted, refused in told.judged:
                self._meter.judge(accepted, refused)
            self._progress.set_status(self._meter.line())

    def lost(self) -> int:
        """As the pool's."""
        return self._pool.lost()

    def close(self, *, finished: bool) -> None:
        """As the pool's."""
        self._pool.close(finished=finished)

    def _known(self, report: Report) -> Mapping[bytes, Answer]:
        """Answers about a report that an earlier run left behind."""
        if not self._again:
            return {}
        from curation.llm.dialogue import first_chats
        from curation.llm.responses import chat_key

        found: Callable[[bytes], Answer | None] = self._store.get
        try:
            keys = [chat_key(chat) for chat in first_chats(self._recipe.prompt, self._recipe.max_tokens, report)]
        except Exception:  # a template is a program, and not ours; the worker tells what is wrong with it
            return {}
        return {key: answer for key in keys if (answer := found(key)) is not None}
