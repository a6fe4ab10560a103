"""`ovct lexicon`: a site's own words; what they add, and which of them would save refused captions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .errors import errors_reported
from .help import HelpCommand, command_group
from .options import (
    CaptionSetFolder,
    GeneralOptions,
    Json,
    Overwrite,
    OwnOrgans,
    WordOptions,
    option_groups,
    print_json,
    refuse_store,
)

if TYPE_CHECKING:
    from rich.table import Table

    from curation.word_suggestions.trials import WordProposal, WordSuggestions

lexicon = command_group("Your own words beside ours: propose some from refused captions, and check a file of them.")


@option_groups
def suggest(
    folder: CaptionSetFolder = Path("captions"),
    out: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="FILE", help="File for the proposals, to edit; for organs one beside it."),
    ] = Path("own_words.yaml"),
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Most proposals.")] = 20,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="Refused captions to read, from the first on.")
    ] = 20_000,
    overwrite: Overwrite = False,
    *,
    words: WordOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Propose words that would save most of a caption set's refused captions, as a file to edit."""
    with errors_reported(general.debug, f"{out} was not written"):
        from curation.language.site_words import read_site_words
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.store_cache import local_copy
        from curation.word_suggestions.proposal_files import check_free, write_proposals
        from curation.word_suggestions.trials import suggest_words

        refuse_store(out, "the file")
        check_free(out, overwrite=overwrite)
        site_words = read_site_words(words.lexicon, words.organs)
        with TerminalProgress("refused captions", quiet=general.quiet) as progress:
            root = local_copy(folder, progress)
            suggestions = suggest_words(root, progress, top=top, limit=limit, words=site_words)
        suggestions = suggestions.model_copy(update={"folder": str(folder)})
        files = write_proposals(suggestions, out, overwrite=overwrite)
        suggestions = suggestions.model_copy(update={"files": tuple(map(str, files))})
        if json:
            print_json(suggestions.model_dump(mode="json"))
        elif not general.quiet:
            _show_suggestions(suggestions)


def _show_suggestions(suggestions: WordSuggestions) -> None:
    from curation.runtime.terminal_console import EscapingConsole

    console = EscapingConsole()
    again = f", {suggestions.accepted_today:,} of them accepted today" if suggestions.accepted_today else ""
    read = f"{suggestions.refused:,} refused captions{again}"
    if suggestions.proposals:
        console.print(_proposal_table(suggestions, read))
    else:
        console.print(f"{read}: no word would save one of them", markup=False, highlight=False, soft_wrap=True)
    if suggestions.not_understood:
        words = ", ".join(f"{word.word} ({word.statements:,})" for word in suggestions.not_understood)
        told = f"Words on which the rules refused statements, and how many: {words}"
        console.print(told, markup=False, highlight=False, soft_wrap=True)
    if suggestions.files:
        line = f"In {' and '.join(suggestions.files)}, each commented out: keep those that are right"
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _proposal_table(suggestions: WordSuggestions, title: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for column in ("words", "accepted", "of refused", "reports"):
        table.add_column(column, justify="left" if column == "words" else "right")
    for proposal in suggestions.proposals:
        table.add_row(_proposed(proposal), f"{proposal.saved:,}", f"{proposal.refused:,}", f"{proposal.reports:,}")
    return table


def _proposed(proposal: WordProposal) -> str:
    first, second = proposal.phrases
    return f"{first} = {second}" if proposal.kind == "synonyms" else f"{second}: a name of {first}"


@option_groups
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="File of your own words, as for --lexicon.", show_default=False),
    ] = None,
    organs: OwnOrgans = None,
    *,
    general: GeneralOptions,
) -> None:
    """Check a file of your own words, and one of organs, and show what they add to ours."""
    with errors_reported(general.debug, "nothing was written"):
        from curation.language.lexicon.site_lexicon import read_site_lexicon
        from curation.language.lexicon.site_summary import added_words
        from curation.language.site_words import read_site_words
        from curation.readers.site_headings import site_headings
        from curation.runtime.errors import InputError
        from prompts.site_organs import added_names

        if file is None and organs is None:
            raise InputError("lexicon check needs FILE, or --organs FILE, or both")
        words = read_site_words(file, organs)
        site_headings(words.headings)
        rows = added_words(read_site_lexicon(words.lexicon_source)) if words.lexicon_source is not None else []
        rows += [("organs", f"{name}: “{text}”") for name, text in added_names(words.organs_source or b"{}")]
        if not general.quiet:
            _show_rows(rows)


def _show_rows(rows: list[tuple[str, str]]) -> None:
    from rich.table import Table

    from curation.runtime.terminal_console import EscapingConsole

    table = Table.grid(padding=(0, 2))
    for row in rows:
        table.add_row(*row)
    EscapingConsole().print(table, markup=False, highlight=False)


for command in (suggest, check):
    lexicon.command(cls=HelpCommand)(command)
