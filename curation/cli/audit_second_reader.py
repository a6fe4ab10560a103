"""`ovct audit --second-reader`: shows what it will ask, has the captions read, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from curation.runtime.errors import flag_names
from curation.runtime.terminal import say

if TYPE_CHECKING:
    from curation.audit.second_reader.reader_run import ReaderRun, ReadingCost, SetReader
    from curation.caption_set.audit_results import SecondReader
    from curation.runtime.progress import Progress


def second_reader(
    folder: Path, engine: str, settings: Mapping[str, object], cost_alone: bool, progress: Progress, quiet: bool
) -> None:
    """Have an engine read all captions of a set; with ``cost_alone`` only show what it would ask.

    Raises ``InputError`` for options that the engine does not take.
    """
    from curation.audit.folder import finished_set
    from curation.audit.sample import SAMPLED_TABLES
    from curation.audit.second_reader.reader_run import read_set, reading_cost
    from curation.audit.second_reader.readings import readings_to_write
    from curation.caption_set.resuming import check_parts
    from prompts.second_reader.reader_file import load_reader_prompt

    manifest = finished_set(folder)
    check_parts(folder, manifest, SAMPLED_TABLES)
    prompt = load_reader_prompt()
    name, reader = _reader(folder, engine, settings, progress)
    with readings_to_write(folder, manifest) as store:
        cost = reading_cost(folder, manifest, store, name, prompt, progress)
        if not quiet or cost_alone:
            say(_cost_line(name, cost, engine != "radgraph"))
        if cost_alone:
            return
        progress.start(cost.reports, 0)
        run = read_set(folder, manifest, store, name, reader, progress)
    if not quiet:
        _print_outcome(folder, run)
    for problem, count in run.problems:
        say(f"ovct: {count:,} captions without a usable reading: {problem}", err=True)


def _reader(folder: Path, engine: str, settings: Mapping[str, object], progress: Progress) -> tuple[str, SetReader]:
    """Return the name of the reader and the reader itself."""
    from curation.audit.second_reader.reader_run import ModelReader
    from curation.caption_set.audit_results import AUDIT
    from curation.llm.recipes import connection, model_options
    from curation.runtime.errors import InputError
    from prompts.second_reader.reader_file import load_reader_prompt

    if engine == "radgraph":
        from curation.audit.second_reader.radgraph_reader import RadGraphReader, load_radgraph

        foreign = [name for name in settings if name != "model"]
        if foreign:
            raise InputError(f"{flag_names(foreign)}: of no use to --second-reader radgraph")
        model = settings.get("model")
        name, annotate = load_radgraph(None if model is None else str(model))
        return name, RadGraphReader(annotate)
    if engine not in ("openai", "vllm"):
        raise InputError(f"--second-reader {engine}: there are radgraph, openai and vllm")
    options = model_options(engine, settings)
    model_name, connect = connection(options, progress.raise_if_interrupted)
    prompt = load_reader_prompt()
    return f"{model_name}, second reader {prompt.hash[:8]}", ModelReader(
        connect, prompt, options.max_tokens, folder / AUDIT
    )


def _cost_line(name: str, cost: ReadingCost, is_model: bool) -> str:
    captions = f"{name}: {cost.captions:,} captions of {cost.reports:,} reports to read"
    if not is_model:
        return captions
    return (
        f"{captions}, in {cost.requests:,} requests of about {cost.prompt_tokens:,} tokens in and "
        f"{cost.completion_tokens:,} out"
    )


def show_readers_alone(folder: Path) -> bool:
    """Say how far second readers agree with a set of which no sample was drawn; return whether there is any to say."""
    from curation.audit.folder import finished_set, has_sample
    from curation.audit.second_reader.results import second_readers
    from curation.audit.tables import reader_sentence
    from curation.caption_set.audit_results import AUDIT

    if (
        not (folder / AUDIT).is_dir()
        or has_sample(folder)
        or not (readers := second_readers(folder, finished_set(folder)))
    ):
        return False
    for result in readers:
        say(f"{result.reader}: {reader_sentence(result)}")
        _print_agreement(result)
    say(f"No caption was reviewed yet: `ovct audit {folder}` begins with those that are read otherwise.")
    return True


def _print_agreement(result: SecondReader) -> None:
    from curation.audit.intervals import coefficient, percent

    for what, share in (("organ", result.organ), ("status", result.status)):
        kappa = coefficient(share.kappa, share.kappa_low, share.kappa_high)
        ac1 = coefficient(share.ac1, share.ac1_low, share.ac1_high)
        say(f"{what}: {percent(share.percent)} of {share.compared:,} captions as in the set, kappa {kappa}, AC1 {ac1}")


def _print_outcome(folder: Path, run: ReaderRun) -> None:
    from curation.audit.folder import has_sample
    from curation.audit.tables import reader_sentence

    say(f"{run.result.reader}: {run.read_now:,} captions read now; {reader_sentence(run.result)}")
    _print_agreement(run.result)
    if run.tokens.requests:
        say(f"{run.tokens.requests:,} answers, {run.tokens.prompt:,} tokens in, {run.tokens.completion:,} out, in all")
    if has_sample(folder):
        say(
            f"The sample of {folder} was drawn before and stays as it is: `ovct audit {folder} --redraw` draws one "
            "that begins with the captions that are read otherwise; the earlier is kept."
        )
    else:
        say(f"`ovct audit {folder}` begins with the captions that are read otherwise.")
