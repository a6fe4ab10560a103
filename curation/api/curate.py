"""`ovct.curate`: reports to a caption set; and the shards of one to a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from curation.runtime.errors import InputError, flag_names
from curation.runtime.progress import Progress
from curation.runtime.store_cache import local_copy

from .inputs import as_file, store_publisher
from .plot import draw_plot

if TYPE_CHECKING:
    from curation.caption_set.figures import CurationFigures
    from curation.caption_set.manifest import Manifest
    from curation.extraction.recipe import Recipe
    from curation.extraction.text_engine import TextRecipe
    from curation.language.site_words import SiteWords
    from curation.llm.pool import ChatRecipe
    from curation.readers.description import InputDescription
    from curation.readers.reports import ColumnsRead
    from curation.report import Report, RowProblem
    from curation.report_language.languages import LanguageChoice

    from .inputs import Reports


class LanguageModelSettings(TypedDict, total=False):
    """How a language model is asked; see the options of the same names in `ovct curate --help`."""

    model: str
    max_tokens: int
    context: int
    repair: int
    prices: tuple[float, float]
    base_url: str
    concurrency: int
    timeout: float
    batch: bool
    reasoning_effort: str
    request_option: list[str]
    request_header: list[str]
    dtype: str
    tensor_parallel_size: int
    vllm_option: list[str]
    second_opinion: str
    second_model: str
    second_base_url: str


@dataclass(frozen=True)
class Curation:
    """What `curate` did.

    Attributes:
        folder: the caption set on this machine (where it goes to a store, the folder that it was made in).
        place: what to call the set's place, the URL where it is in a store.
        manifest: the set's manifest, with its settings and counts.
        already_done: True where the set was complete before, with the same input and settings.
        relicensed: True where only the licence on the data card changed.
        problems: the first rows of the input that were not used as they are; ``problem_count`` counts all.
        input: which columns were read, in which encoding and language; None where shards were merged.
    """

    folder: Path
    place: str
    manifest: Manifest
    already_done: bool
    relicensed: bool
    problems: tuple[RowProblem, ...]
    problem_count: int
    input: InputDescription | None

    @property
    def failure(self) -> str | None:
        """Why no report got an answer of a language model; None where at least one did."""
        from curation.llm.unanswered import why_nothing_answered

        return why_nothing_answered(self.folder, self.manifest)

    @property
    def figures(self) -> CurationFigures:
        """The counts, the input and the settings as one record."""
        from curation.caption_set.figures import CurationFigures, set_figures
        from curation.caption_set.stats import summary_of

        figures = set_figures(summary_of(self.folder, self.manifest), self.place)
        return CurationFigures(**dict(figures), already_done=self.already_done, input=self.input)


def curate(
    reports: Reports,
    out: str | Path = "captions",
    engine: str = "rules",
    *,
    id_column: str | None = None,
    text_columns: Iterable[str] = (),
    limit: int | None = None,
    modality: str | None = None,
    overwrite: bool = False,
    license: str | None = None,
    prompt: str | Path | None = None,
    language: LanguageChoice = "en",
    workers: int | None = None,
    reports_per_part: int | None = None,
    shard: str | None = None,
    ray: str | None = None,
    check_phi: bool = False,
    drop_phi: bool = False,
    lexicon: str | Path | None = None,
    organs: str | Path | None = None,
    progress: Progress | None = None,
    **language_model: Unpack[LanguageModelSettings],
) -> Curation:
    """Make a caption set from reports, or go on with one that was begun.

    Args:
        reports: a file or folder that `ovct curate` reads (also a URL of a store), a pandas DataFrame with the same
            columns, or an iterable of report texts.
        out: folder, or URL in a store, of the caption set.
        engine: ``rules``, ``vllm`` or ``openai``.
        language: ``en`` refuses reports that are not English; with ``any`` a language model is asked about them too,
            and its captions are held against the passages that they quote.
        modality: ``ct`` leaves out the reports that are known to be of other modalities.
        shard: ``"I/N"`` makes the I-th of N shares of the input.
        ray: ``local``, ``auto`` or the address of a Ray cluster.
        check_phi: count the names, dates and numbers that stand in what is written; see ``figures.privacy``.
        drop_phi: refuse captions that tell such a thing, and blank it in all other columns (implies ``check_phi``).
        lexicon, organs: files of your own words and organs, beside ours.
        progress: receives the progress; silent by default.
        **language_model: settings of a language model, for the engines ``vllm`` and ``openai``.

    Returns:
        The finished set, with its counts.

    Raises:
        InputError: a wrong argument, or an input that cannot be read.
        SetError: the folder holds something else, or a set made otherwise.
        RunError, OSError: the run cannot go on; finished parts stay, and the same call resumes.
        Interrupted: ``progress`` asked to stop; the same call resumes.
    """
    if unknown := language_model.keys() - LanguageModelSettings.__annotations__.keys():
        raise InputError(f"ovct.curate has no argument {sorted(unknown)[0]!r}")
    from curation import pipeline
    from curation.caption_set.privacy_check import privacy_warning
    from curation.caption_set.set_files import PLOT_FILE
    from curation.caption_set.sharding import Shard
    from curation.language.site_words import read_site_words
    from curation.readers.description import describe_input
    from curation.readers.examinations.counts import count_examinations, others_told, read_modality
    from curation.runtime.processes import available_cores

    progress = progress or Progress()
    words = read_site_words(lexicon, organs)
    share = None if shard is None else Shard.read(shard)
    with as_file(reports) as given:
        path = local_copy(given.path, progress)
        publish = store_publisher(out, progress)
        job = pipeline.CurateJob(
            path,
            publish.root if publish else Path(out),
            id_column,
            tuple(text_columns),
            limit,
            overwrite,
            workers or available_cores(),
            reports_per_part=reports_per_part,
            shown=given.shown,
            license=license,
            modality=None if modality is None else read_modality(modality),
            shard=share,
            publish=publish,
            check_phi=check_phi,
            drop_phi=drop_phi,
        )
        prompt = None if prompt is None else str(prompt)
        recipe = recipe_for(engine, language_model, prompt, progress, language, words)
        descriptions: list[InputDescription] = []

        def describe(columns: ColumnsRead, head: Sequence[Report]) -> None:
            description = describe_input(given.shown or path.name or path.resolve().name, columns, head)
            descriptions.append(description)
            progress.message(description.sentence())
            if warning := description.warning(recipe.language):
                progress.warning(warning)
            if job.modality is None and (others := others_told(count_examinations(head), which="the first ")):
                progress.warning(f"{description.name}: {others}")

        result = pipeline.curate(
            job,
            recipe if ray is None else _on_ray(recipe, ray, workers, bool(language_model.get("batch"))),
            progress,
            describe,
        )
    manifest = result.manifest
    if (check_phi or drop_phi) and (sentence := privacy_warning(manifest)):
        progress.warning(sentence)
    # A kill between the picture and its digest leaves a finished set whose manifest does not tell of it.
    untold = manifest.files is not None and PLOT_FILE not in manifest.files
    if not result.already_done or untold or not (job.out / PLOT_FILE).exists():
        manifest = draw_plot(job.out, manifest, publish)
    return Curation(
        job.out,
        publish.shown if publish else str(out),
        manifest,
        result.already_done,
        result.relicensed,
        result.problems,
        (manifest.skipped or 0) + (manifest.warnings or 0),
        descriptions[0],
    )


def merge(
    sets: Iterable[str | Path],
    out: str | Path = "captions",
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Curation:
    """Join the caption sets of all shards into the one that a single run would have made.

    Raises:
        SetError: a shard is missing, unfinished or made otherwise, or the folder holds something else.
    """
    from curation.caption_set import merging
    from curation.caption_set.set_files import PLOT_FILE

    progress = progress or Progress()
    publish = store_publisher(out, progress)
    folder = publish.root if publish else Path(out)
    shards = [local_copy(str(one), progress) for one in sets]
    manifest = merging.merge(shards, folder, progress, overwrite=overwrite, publisher=publish)
    if PLOT_FILE not in (manifest.files or {}) or not (folder / PLOT_FILE).exists():
        manifest = draw_plot(folder, manifest, publish)
    return Curation(folder, publish.shown if publish else str(out), manifest, False, False, (), 0, None)


def recipe_for(
    engine: str,
    language_model: Mapping[str, object],
    prompt: str | None,
    progress: Progress,
    language: LanguageChoice = "en",
    words: SiteWords | None = None,
) -> TextRecipe | ChatRecipe:
    """Return the recipe of an engine, which knows the words of a site beside ours.

    Raises ``InputError`` for settings that the engine does not have.
    """
    from curation.language.site_words import OURS
    from curation.verification.verifier import build_verifier

    words = words or OURS
    if language not in ("en", "any"):
        raise InputError(f"--language {language}: expected en (English reports alone) or any")
    if engine == "rules":
        if language == "any":
            raise InputError(
                "--language any: the engine rules reads English only; say --engine vllm or --engine openai too, whose "
                "model may read the others"
            )
        if language_model or prompt:
            names = [*language_model, *(["prompt"] if prompt else [])]
            raise InputError(
                f"{flag_names(names)}: of no use to the engine rules; say --engine vllm or --engine openai too"
            )
        from curation.extraction.text_engine import rules_recipe

        return rules_recipe(words)
    from curation.llm.prompt_checks import load_checked_prompt
    from curation.llm.recipes import chat_recipe, default_prompt, refuse_unfit
    from curation.llm.recipes import model_options as checked

    options = checked(engine, language_model)
    loaded = load_checked_prompt(prompt or default_prompt(language), build_verifier(words))
    refuse_unfit(language, loaded, options)
    return chat_recipe(options, loaded, progress.raise_if_interrupted, language, words)


def _on_ray(recipe: TextRecipe | ChatRecipe, address: str, workers: int | None, batch: bool) -> Recipe:
    from curation.ray_cluster.recipe import RayRecipe

    if batch:
        raise InputError("--batch: of no use with --ray: a server works on batches by itself; leave one of them out")

    return RayRecipe(recipe, address, workers)
