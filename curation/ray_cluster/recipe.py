"""Any recipe, carried out on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from curation.caption import MadeBy
from curation.caption_set.set_files import RESPONSES_FILE
from curation.caption_set.writer import CaptionSetWriter
from curation.extraction.recipe import OpenPool, Options
from curation.extraction.text_engine import TextRecipe
from curation.report_language.languages import LanguageChoice
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress

from .cluster import alive_nodes, check_address, connected, resource
from .pool import Placement, RayPool
from .worker import TextWorker, WorkerSpec

if TYPE_CHECKING:
    from curation.language.site_words import SiteWords
    from curation.llm.pool import ChatRecipe

    from .chat_pool import RayChatPool

# Times the batch of one machine.
BATCH_OF_TEXT = 16
BATCH_OF_CHATS = 2


@dataclass(frozen=True, slots=True)
class RayRecipe:
    """Carries out a recipe on a cluster. Raises ``InputError`` for an address that no cluster can have.

    ``address`` is ``local`` (start a cluster of ``workers`` processes on this machine), ``auto`` (the cluster that this
    machine belongs to), or the address of a cluster's head.
    """

    recipe: TextRecipe | ChatRecipe
    address: str
    workers: int | None = None

    def __post_init__(self) -> None:
        check_address(self.address)

    @property
    def made_by(self) -> MadeBy:
        """Return the recipe's engine, model and prompt."""
        return self.recipe.made_by

    @property
    def options(self) -> Options:
        """Return the recipe's options: where the work is done decides no row."""
        return self.recipe.options

    @property
    def prompt_file(self) -> bytes | None:
        """Return the recipe's prompt file."""
        return self.recipe.prompt_file

    @property
    def words(self) -> SiteWords:
        """Return the words of a site that the recipe knows."""
        return self.recipe.words

    @property
    def language(self) -> LanguageChoice:
        """Return which reports the recipe makes captions of."""
        return self.recipe.language

    @property
    def reports_per_part(self) -> int:
        """Return the recipe's number of reports in a part."""
        return self.recipe.reports_per_part

    @property
    def batch_reports(self) -> int:
        """Return more than the recipe does: a batch costs Ray some hundredths of a second, whatever is in it."""
        return self.recipe.batch_reports * (BATCH_OF_TEXT if isinstance(self.recipe, TextRecipe) else BATCH_OF_CHATS)

    @contextmanager
    def started(self, progress: Progress) -> Iterator[OpenPool]:
        """Connect to the cluster; yield the function that opens a pool."""
        with connected(self.address, self.workers) as ray:
            yield partial(_open_pool, self, ray, progress)


@contextmanager
def _open_pool(
    recipe: RayRecipe, ray: Any, progress: Progress, captions: CaptionSetWriter, count: int
) -> Iterator[Any]:
    opened: AbstractContextManager[RayPool | RayChatPool]
    if isinstance(recipe.recipe, TextRecipe):
        opened = _text_pool(recipe.recipe, ray, recipe.workers)
    else:
        opened = _chat_pool(recipe.recipe, ray, recipe.workers, captions, progress)
    with opened as pool:
        try:
            yield pool
        except BaseException:
            pool.close(finished=False)
            raise
        if restarts := pool.restarts():
            progress.message(f"{restarts:,} batches were begun again, for their worker was lost")
        pool.close(finished=True)


@contextmanager
def _text_pool(recipe: TextRecipe, ray: Any, workers: int | None) -> Iterator[RayPool]:
    placement = Placement(workers or resource(ray, "CPU"))
    yield RayPool(ray, WorkerSpec(partial(TextWorker, recipe)), placement)


@contextmanager
def _chat_pool(
    recipe: ChatRecipe, ray: Any, workers: int | None, captions: CaptionSetWriter, progress: Progress
) -> Iterator[RayChatPool]:
    from curation.llm.answer_store import AnswerStore
    from curation.llm.usage import UsageMeter

    from .chat_pool import RayChatPool

    with closing(AnswerStore(captions.work / RESPONSES_FILE, captions.manifest.settings.answers_digest())) as store:
        meter = UsageMeter(store.usage(), recipe.prices, store.add_usage, progress.warning)
        captions.usage = meter.usage
        pool = RayChatPool(recipe, ray, _placement(recipe, ray, workers), store, meter, progress)
        try:
            yield pool
        finally:
            pool.record_updates()
            meter.flush()


def _placement(recipe: ChatRecipe, ray: Any, workers: int | None) -> Placement:
    """Place an engine of vLLM on each of its GPUs, or one engine where there are none; of a server, one on each node.

    Raises ``InputError`` if one engine needs more GPUs than the cluster has.
    """
    if recipe.made_by.engine != "vllm":
        return Placement(workers or alive_nodes(ray), actors=True, batches_at_once=2)
    gpus = resource(ray, "GPU")
    if not gpus:
        return Placement(workers or 1, actors=True, batches_at_once=2)
    if gpus < recipe.gpus:
        raise InputError(f"--tensor-parallel-size {recipe.gpus}: the cluster has {gpus} GPUs")
    return Placement(workers or gpus // recipe.gpus, actors=True, gpus=recipe.gpus, batches_at_once=2)
