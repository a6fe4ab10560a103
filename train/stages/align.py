"""Stage 2, `ovct train align`: the text encoder learns to place reports and captions where their volumes are.

The image encoder stays as it is, so each volume goes through it once (train/alignment/pooled_volumes.py) and what is
trained on is one vector for each. Unlocked, for the paper's ablation, volumes go through it in every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import save_checkpoint
from models.preprocessing import Preprocessing
from prompts.vocabulary import load_vocabulary
from train.alignment.locked_texts import LockedTexts
from train.alignment.opposites import Opposites
from train.alignment.organ_views import OrganViews
from train.alignment.pooled_volumes import POOLED, PooledVolumes, read_volume
from train.alignment.report_samples import AlignmentBatch, ReportSamples, collate_reports
from train.config.options import AlignConfig, ConfigError
from train.data.caption_pairs import CaptionPair, CaptionPairs
from train.data.cases import Case, DataError, raise_for_problems, split_cases
from train.data.checks import find_problems
from train.data.training_set import report_problems
from train.loop.engine import TrainingEngine
from train.losses.alignment import AlignmentTerms, clamp_log_scale_
from train.losses.gradient_cache import Tower, cached_backward
from train.words.vocabulary_anchor import VocabularyAnchor

from .alignment_embedding import BatchViews, contrastive_terms, embed_pairs, embed_texts, embed_volumes, views_of
from .retrieval import retrieval_of
from .run_record import learned_by, settings_with

# Held-out pairs that retrieval is measured on while training, at most.
MOST_HELD_OUT = 1000
# Volumes that mean and deviation of a vector are taken from: where each is in the cache, and where each goes through
# the network.
STANDARDISED_ON, STANDARDISED_ON_UNLOCKED = 2000, 64


class AlignTask:
    """The task of stage 2; see `train.loop.task.Task`.

    A loss on the embeddings of the whole batch is a term of `alignment_loss` (train/losses/alignment.py): it is taken
    over all parts and processes, with several parts by gradient caching. A loss on anything else, such as the anchor of
    the vocabulary, has a backward of its own in `backward`, and the gradients add up. Either kind has its weight among
    the options of `Alignment` (train/config/options.py) and its metric in `backward`.
    """

    def __init__(
        self,
        model: Aligner,
        pairs: CaptionPairs,
        preprocessing: Preprocessing,
        config: AlignConfig,
        cache: Path,
        *,
        earlier: tuple[dict[str, JsonValue], ...] = (),
    ) -> None:
        self.unlocked = config.alignment.unlock_image
        text_trains = config.alignment.text_learning_rate > 0
        self.model = model.freeze(
            "align", unlock=["image_encoder"] if self.unlocked else [], lock=[] if text_trains else ["text"]
        )
        self.locked_texts = None if text_trains else LockedTexts(model.text, cache)
        self.model.image.checkpointing = self.unlocked
        self.lr_multipliers: Mapping[str, float] = {"text.": config.alignment.text_learning_rate}
        self.preprocessing, self.config, self.earlier, self.pairs = preprocessing, config, earlier, pairs
        self.hounsfield = model.reads_hounsfield
        # Made now, from the weights before the first step: a resumed run puts its own weights in afterwards.
        anchored = config.alignment.anchor_weight > 0 and text_trains
        self.anchor = VocabularyAnchor(model.text, config.running.seed) if anchored else None
        self.opposites = Opposites() if config.alignment.opposite_weight else None
        self.views = organ_views(model, pairs) if model.mgcl == "organ" else None
        self.pooled = PooledVolumes(cache / POOLED, model, preprocessing, config.alignment.window)
        splits = split_cases(pairs.dataset, config.data.validation, seed=config.running.seed)
        limit = config.data.limit or None
        self.train: list[CaptionPair] = pairs.for_cases(splits["train"])[:limit]
        # Whatever is not trained on is held out; one reconstruction of each scan.
        held_out = {pair.case.scan: pair for pair in pairs.for_cases([*splits["val"], *splits["test"]])}
        self.held_out: list[CaptionPair] = list(held_out.values())[: config.data.limit or MOST_HELD_OUT]
        _require_enough(self.train, config)

    def __getstate__(self) -> dict[str, object]:
        """Leave the network out for a process that loads samples."""
        return self.__dict__ | {"model": None, "anchor": None, "locked_texts": None}

    @property
    def samples(self) -> ReportSamples:
        """Return volumes with their texts, of the pairs to train on."""
        batch_size, seed = self.config.optimisation.batch_size, self.config.running.seed
        count = self.config.alignment.captions_per_report
        return ReportSamples(
            self.train, self._volume, count, batch_size, seed, views=self.views, opposites=self.opposites
        )

    def collate(self, samples: list[Any]) -> AlignmentBatch:
        """Join samples as `train.alignment.report_samples.collate_reports` does."""
        return collate_reports(samples, self.config.alignment.captions_per_report)

    def settings(self) -> dict[str, Any]:
        """Return all that decides what is learned."""
        return settings_with(self.config, [f"{self.pairs.source.identity}: {len(self.train)} pairs"])

    def prepare(self, engine: TrainingEngine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Make the vector of each volume; those that cannot be read are left out or end the run."""
        pairs = [*self.train, *self.held_out]
        if numbers is None:
            joined, *not_joined = self.pairs.summary()
            progress.message(joined)
            for line in not_joined:
                progress.warning(line)
        else:
            order = self.samples.order
            pairs = [self.train[order[number]] for number in numbers]
        cases = list({pair.case.id: pair.case for pair in pairs}.values())
        if self.unlocked:
            problems = find_problems(cases, self.pairs.dataset)
        else:
            workers = engine.loading_workers(self.config.data.prepare_workers or -1)
            problems = self.pooled.prepare(cases, engine, progress, workers)
        if self.config.running.on_problem == "refuse":
            raise_for_problems(self.pairs.dataset.root, problems, len(cases))
        report_problems(progress, problems)
        unusable = {problem.case_id for problem in problems}
        self.train = [pair for pair in self.train if pair.case.id not in unusable]
        self.held_out = [pair for pair in self.held_out if pair.case.id not in unusable]
        _require_enough(self.train, self.config)

    def begin(self, engine: TrainingEngine, progress: Progress) -> None:
        """Fit the standardisation of a volume's vector; every process gets the same."""
        count = STANDARDISED_ON_UNLOCKED if self.unlocked else STANDARDISED_ON
        every = max(len(self.train) // count, 1)
        vectors = [self._vector(pair.case, engine).cpu() for pair in self.train[::every][:count]]
        self.model.standardised.fit(torch.stack(vectors).to(engine.device))

    def end(self, engine: TrainingEngine, progress: Progress) -> None:
        """Do nothing: no training comes after the last step."""

    def backward(self, parts: Sequence[Any], step: int, engine: TrainingEngine) -> dict[str, Tensor]:
        """Add the gradients of all losses and return them as metrics."""
        contrastive = self._contrastive_backward(parts, engine)
        anchor = self._anchor_backward(step, engine)
        return {
            "loss": contrastive.total.detach() + anchor,
            "words_loss": anchor,
            "report_loss": contrastive.report.detach(),
            "caption_loss": contrastive.caption.detach(),
            "opposite_loss": contrastive.opposite.detach(),
            "logit_scale": self.model.log_scale.detach().exp(),
        }

    def _contrastive_backward(self, parts: Sequence[AlignmentBatch], engine: TrainingEngine) -> AlignmentTerms:
        """Take the contrastive losses of the whole batch; with several parts by gradient caching."""
        computed: list[AlignmentTerms] = []
        views = None if self.views is None else views_of(parts, self.views, engine.device)

        def loss(volumes: Tensor, texts: Tensor) -> Tensor:
            options = self.config.alignment
            computed.append(contrastive_terms(volumes, texts, self.model.log_scale, parts, options, views))
            return computed[-1].total

        towers = [
            Tower(lambda part: self._embed_volumes(part, engine, views), parts),
            Tower(lambda part: self._embed_texts(part, engine), parts),
        ]
        if len(parts) == 1:
            engine.backward(loss(*(tower.encode(parts[0]) for tower in towers)))
        else:
            cached_backward(towers, loss, backward=engine.backward)
        return computed[-1]

    def _anchor_backward(self, step: int, engine: TrainingEngine) -> Tensor:
        """Take the weighted loss of the vocabulary's anchor, 0 without one."""
        if self.anchor is None:
            return torch.zeros((), device=engine.device)
        with engine.autocast():
            loss = self.config.alignment.anchor_weight * self.anchor.loss(step)
        engine.backward(loss)
        return loss.detach()

    def after_step(self) -> None:
        """Keep the logit scale where CLIP does."""
        clamp_log_scale_(self.model.log_scale)

    @torch.no_grad()
    def evaluate(self, engine: TrainingEngine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Return retrieval measures of the held-out pairs; each process embeds a share of them."""
        if len(self.held_out) < 2:
            return {}
        share = self.held_out[engine.rank :: engine.world]
        encode = self.model.text.encode if self.locked_texts is None else self.locked_texts.embed
        embedded = embed_pairs(self.model, share, lambda case: self._vector(case, engine), encode, self.views)
        return retrieval_of([pair for pairs in engine.gather_objects(embedded) for pair in pairs])

    def save(self, folder: Path, step: int) -> None:
        """Write image encoder, text encoder and what is between them; the decoder goes along for the next stage."""
        data: list[JsonValue] = [
            {"captions": str(self.pairs.source.path), "volumes": str(self.pairs.dataset.root), "pairs": len(self.train)}
        ]
        record = learned_by("align", self.config, data, step)
        save_checkpoint(self.model, folder, self.preprocessing, trained_on=[*self.earlier, record])

    def cases(self, part: Any) -> dict[str, bool]:
        """Return the names of a part's scans, and whether all numbers of their volumes are numbers."""
        return {name: bool(volume.isfinite().all()) for name, volume in zip(part.names, part.volumes, strict=True)}

    def describe(self, part: Any) -> list[str]:
        """Return the shapes of a part, and how many pairs there are."""
        volumes = part.volumes
        shape = tuple(volumes.shape) if isinstance(volumes, Tensor) else [tuple(volume.shape) for volume in volumes]
        return [
            f"volumes {shape}, {len(part.reports)} reports, captions {tuple(part.captions.shape)}, "
            f"{len(part.texts)} different texts",
            f"{len(self.train):,} pairs to train on, {len(self.held_out):,} held out",
        ]

    def _volume(self, case: Case) -> Tensor:
        """Return a case's vector (C,) from the cache, or, unlocked, its volume as `pool_volume` takes it."""
        if not self.unlocked:
            return self.pooled[case]
        read = read_volume(case, self.preprocessing, self.hounsfield)
        if read.problem:
            raise DataError(f"{case.id} cannot be used: {read.problem}")
        return read.volume

    def _vector(self, case: Case, engine: TrainingEngine) -> Tensor:
        """Return a case's vector (C,) by the encoder as it is now."""
        volume = self._volume(case)
        return volume if volume.dim() == 1 else self.pooled.pooled(volume, engine)

    def _embed_volumes(self, part: AlignmentBatch, engine: TrainingEngine, views: BatchViews | None) -> Tensor:
        with engine.autocast():
            return embed_volumes(self.model, part, self.config.alignment.window, engine.device, views)

    def _embed_texts(self, part: AlignmentBatch, engine: TrainingEngine) -> Tensor:
        with engine.autocast():
            return embed_texts(self.model, part, self.locked_texts)


def organ_views(model: Aligner, pairs: CaptionPairs) -> OrganViews:
    """Return the views of all organs that captions are about, in the classes that the model outlines."""
    organs = {caption.organ for pair in pairs.pairs for caption in pair.captions}
    return OrganViews(sorted(organs), model.image.labels or (), load_vocabulary())


def _require_enough(pairs: Sequence[CaptionPair], config: AlignConfig) -> None:
    """Raise ConfigError if there are fewer scans than a batch has samples."""
    scans = len({pair.case.scan for pair in pairs})
    if scans < config.optimisation.batch_size:
        raise ConfigError(
            f"batch_size {config.optimisation.batch_size}: there are {scans} scans to train on, and no scan may be "
            f"twice in a batch; take a batch_size of at most {scans}"
        )
