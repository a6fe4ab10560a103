"""What a site's own words add to ours, in lines for the person who wrote them."""

from __future__ import annotations

from collections.abc import Sequence

from .checks import PhraseGroup, keys_of
from .lexicon_file import MODIFIERS
from .site_lexicon import OurWords, SiteLexicon, our_words


def added_words(site: SiteLexicon) -> list[tuple[str, str]]:
    """Return what a site's words, which were checked, add: the key, and in words what is added under it.

    >>> added_words(SiteLexicon(synonyms=[["mass", "klump"]]))
    [('synonyms', '“klump”: as “mass”, a word of ovct')]
    """
    ours = our_words()
    rows = [(str(group.place[0]), _added_to(group, ours)) for group in site.groups()]
    for key, cues in {
        "negations": site.negations,
        **{f"hedges, {name}": cues for name, cues in site.hedges.items()},
    }.items():
        rows += [(key, f"{_listed(cues.before)}: before what they act on")] if cues.before else []
        rows += [(key, f"{_listed(cues.after)}: behind what they act on")] if cues.after else []
    rows += [("normality", f"{_listed(site.normality)}: says that an organ is normal")] if site.normality else []
    rows += [("findings", _listed(site.findings))] if site.findings else []
    rows += [("kinds", f"{_listed(specials)}: kinds of “{general}”") for general, specials in site.kinds.items()]
    rows += [("implied_organ", f"“{phrase}”: of the {organ}") for phrase, organ in site.implied_organ.items()]
    return [*rows, *(("headings", f"{_listed(phrases)}: of the {name}") for name, phrases in site.headings.items())]


def _added_to(group: PhraseGroup, ours: OurWords) -> str:
    """Return the phrases of a group that are new, and what they mean."""
    keys = dict(zip(keys_of(group, ours.stems), group.phrases, strict=True))
    if group.place[0] in MODIFIERS:
        return f"{_listed(group.phrases)}: {group.meaning}"
    known = next((ours.meanings[key] for key in keys if key in ours.meanings), None)
    new = [phrase for key, phrase in keys.items() if key not in ours.meanings]
    if known is None:
        return f"{_listed(group.phrases)}: mean the same"
    return f"{_listed(new)}: as {known}, a word of ovct" if new else f"nothing: ovct knows {_listed(group.phrases)}"


def _listed(phrases: Sequence[str]) -> str:
    return ", ".join(f"“{phrase}”" for phrase in phrases)
