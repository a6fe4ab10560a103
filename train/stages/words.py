"""`ovct train words`, before stage 2: the text encoder learns the anatomy vocabulary, from words alone.

Terms of one organ come together; siblings, sides and levels come apart; a group comes to the mean of its members, as
the made-up prompts of stage 3 take it to be. What is held out measures it (train/words).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.digests import file_digest
from curation.runtime.progress import Progress
from models.checkpoint import open_text, save_text
from models.text import TextEncoder
from prompts.site_organs import extend_vocabulary
from prompts.vocabulary import Vocabulary, load_vocabulary
from train.config.options import ConfigError, WordsConfig
from train.loop.engine import TrainingEngine
from train.losses.gather import gather, gather_ids
from train.losses.gradient_cache import Tower, cached_backward
from train.losses.word_losses import group_loss, term_loss
from train.words.word_lists import WordLists, choose_words
from train.words.word_samples import WordBatch, WordSamples
from train.words.word_score import score_encoder

from .run_record import learned_by, settings_with


class WordsTask:
    """The task of `train words`; see `train.loop.task.Task`."""

    lr_multipliers: Mapping[str, float] = {}

    def __init__(
        self,
        model: TextEncoder,
        words: WordLists,
        config: WordsConfig,
        vocabulary: Mapping[str, JsonValue],
        *,
        earlier: tuple[dict[str, JsonValue], ...] = (),
    ) -> None:
        self.model, self.words, self.config, self.earlier = model, words, config, earlier
        self.described = dict(vocabulary)
        self.samples = WordSamples(words, config.running.seed)
        self.collate = self.samples.collate
        self.score: dict[str, float] = {}
        organs = self.samples.organs
        below = {name: words.vocabulary.descendants(name) for name in organs}
        self._related = _symmetric(organs, below)
        self._share_members = _symmetric(organs, {name: _sharing(name, words.groups) for name in words.groups})

    def settings(self) -> dict[str, Any]:
        """Return all that decides what is learned."""
        return settings_with(self.config, [f"words {self.words.digest()}"])

    def prepare(self, engine: TrainingEngine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Do nothing: there is nothing to prepare."""

    def begin(self, engine: TrainingEngine, progress: Progress) -> None:
        """Do nothing: no training comes before the first step."""

    def end(self, engine: TrainingEngine, progress: Progress) -> None:
        """Do nothing: no training comes after the last step."""

    def after_step(self) -> None:
        """Do nothing: no parameter has a range."""

    def backward(self, parts: Sequence[Any], step: int, engine: TrainingEngine) -> dict[str, Tensor]:
        """Add the gradients of both losses over the whole batch, and return them as metrics."""
        options, taken = self.config.words, list[tuple[Tensor, Tensor]]()

        def loss(vectors: Tensor) -> Tensor:
            terms, groups = self._losses(parts, vectors)
            taken.append((terms.detach(), groups.detach()))
            return terms + options.group_weight * groups

        tower = Tower(lambda part: self._embed(part, engine), parts)
        if len(parts) == 1:
            engine.backward(loss(tower.encode(parts[0])))
        else:
            cached_backward([tower], loss, backward=engine.backward)
        terms, groups = taken[-1]
        return {"loss": terms + options.group_weight * groups, "term_loss": terms, "group_loss": groups}

    def _embed(self, part: WordBatch, engine: TrainingEngine) -> Tensor:
        with engine.autocast():
            return self.model.embed(part.texts)

    def _losses(self, parts: Sequence[WordBatch], vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return both losses over all parts and processes, from the vectors of the parts' texts, one after another."""
        starts = [sum(len(part.texts) for part in parts[:number]) for number in range(len(parts))]

        def rows(field: str) -> Tensor:
            indices = [getattr(part, field) for part in parts]
            moved = [torch.where(at >= 0, at + start, -1) for at, start in zip(indices, starts, strict=True)]
            return torch.cat(moved).to(vectors.device)

        def joined(field: str) -> Tensor:
            return gather_ids(torch.cat([getattr(part, field) for part in parts]).to(vectors.device))

        def embedded(indices: Tensor) -> Tensor:
            return gather(vectors[indices.clamp(min=0)])

        member_rows, owners, groups = rows("members"), joined("owners").flatten(), joined("groups")
        terms = term_loss(
            embedded(rows("terms")).flatten(0, 1),
            owners,
            _pairs(self._related, owners),
            self.config.words.temperature,
        )
        grouped = group_loss(
            embedded(rows("group_terms")),
            embedded(member_rows),
            gather_ids((member_rows >= 0).long()).bool(),
            _pairs(self._share_members, groups),
            self.config.words.temperature,
        )
        return terms, grouped

    @torch.no_grad()
    def evaluate(self, engine: TrainingEngine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Return the score on words that are held out; every process gets the same."""
        self.score = score_encoder(self.model.encode, self.words.vocabulary, self.words.scored)
        return self.score

    def save(self, folder: Path, step: int) -> None:
        """Write the text encoder, with a record of what it has learned and of its score."""
        data: list[JsonValue] = [self.described]
        record = learned_by("words", self.config, data, step)
        if self.score:
            record["held_out_score"] = {name: round(value, 4) for name, value in self.score.items()}
        save_text(self.model, folder, trained_on=[*self.earlier, record])

    def cases(self, part: Any) -> dict[str, bool]:
        """Return the first texts of a part; there are no voxels that could be broken."""
        return dict.fromkeys(part.texts[:3], True)

    def describe(self, part: Any) -> list[str]:
        """Return the texts of a part, and how many words there are."""
        lists = self.words
        return [
            f"{len(part.texts)} texts of {len({*part.owners.flatten().tolist()} - {-1})} organs and "
            f"{len(part.groups)} groups",
            f"{len(lists.terms):,} organs with {sum(map(len, lists.terms.values())):,} terms, {len(lists.groups):,} "
            f"groups; {lists.held_out:,} terms held out",
        ]


def open_words(config: WordsConfig) -> WordsTask:
    """Return the task of `train words`. Raises ConfigError, CheckpointError, TextEncoderError, VocabularyError."""
    vocabulary, described = _vocabulary(config)
    words = choose_words(vocabulary, config.words.hold_out, config.words.held_out_third)
    described |= {
        "organs": len(words.terms),
        "terms": sum(map(len, words.terms.values())),
        "groups": len(words.groups),
        "terms_held_out": words.held_out,
        "words_sha256": words.digest(),
    }
    torch.manual_seed(config.running.seed)
    text = open_text(config.words.text)
    return WordsTask(text.encoder, words, config, described, earlier=text.trained_on)


def _vocabulary(config: WordsConfig) -> tuple[Vocabulary, dict[str, JsonValue]]:
    """Return the vocabulary with a site's organs, and what a record says of it."""
    if not config.words.organs:
        return load_vocabulary(), {"vocabulary": "ovct"}
    path = Path(config.words.organs)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"organs: {path} cannot be read ({error.strerror}): name a file as docs/lexicon.md"
        ) from error
    described: dict[str, JsonValue] = {"vocabulary": "ovct", "organs_file": str(path), "sha256": file_digest(path)}
    return extend_vocabulary(source, str(path)), described


def _symmetric(organs: Sequence[str], others: Mapping[str, Iterable[str]]) -> Tensor:
    """Return (N, N) True between each organ, itself, and the `others` that it is listed with."""
    number = {name: at for at, name in enumerate(organs)}
    table = torch.eye(len(organs), dtype=torch.bool)
    for name, listed in others.items():
        for other in listed:
            if other in number:
                table[number[name], number[other]] = table[number[other], number[name]] = True
    return table


def _sharing(name: str, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the groups that share a member with one."""
    members = {*groups[name]}
    return [other for other, theirs in groups.items() if not members.isdisjoint(theirs)]


def _pairs(table: Tensor, numbers: Tensor) -> Tensor:
    """Return (R, R) the entries of a table of organs for each pair of `numbers` (R,), of which −1 are none."""
    at = numbers.clamp(min=0).cpu()
    return table[at][:, at].to(numbers.device)
