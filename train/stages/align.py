"""Stage 2, `ovct train align`: the text encoder learns to place reports and captions where their volumes are.

The image encoder stays as it is, so each volume goes through it once (train/stages/pooled_volumes.py) and what is
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
from models.text import TextEncoder
from train.config import AlignConfig, ConfigError
from train.data.caption_pairs import Pair, Pairs, read_pairs
from train.data.cases import Case, DataError, refuse, split_cases
from train.data.checks import check
from train.data.dataset import open_dataset
from train.data.report_samples import ReportPart, ReportSamples, report_part
from train.data.training_set import tell_problems
from train.loop.engine import Engine
from train.losses.contrastive import AlignmentLoss, alignment_loss, clamp_log_scale_
from train.losses.gradient_cache import Tower, cached_backward

from .held_out import retrieval
from .pooled_volumes import PooledVolumes, pool_volume, read_volume
from .run_record import check_patch, learned_by, settings_with, starting_point
from .vocabulary_anchor import KeptWords

# Held-out pairs that retrieval is measured on while training.
RETRIEVED = 1000
# Volumes that say what is usual of a vector, where each is in the cache and where each goes through the network.
STANDARD, STANDARD_UNLOCKED = 2000, 64
# Texts that go through the text encoder together.
TOGETHER = 16


class Align:
    """The task of the loop; see `train.loop.task.Task`."""

    def __init__(
        self,
        model: Aligner,
        pairs: Pairs,
        preprocessing: Preprocessing,
        config: AlignConfig,
        cache: Path,
        *,
        earlier: tuple[dict[str, JsonValue], ...] = (),
    ) -> None:
        self.unlocked = config.alignment.unlock_image
        self.model = model.freeze("align", unlock=["image_encoder"] if self.unlocked else [])
        self.model.image.checkpointing = self.unlocked
        self.slower: Mapping[str, float] = {"text.": config.alignment.text_learning_rate}
        self.preprocessing, self.config, self.earlier, self.all = preprocessing, config, earlier, pairs
        self.words = KeptWords(model.text, config.running.seed) if config.alignment.words_weight else None
        if self.words:
            # As they are now: a resumed run puts its own weights in afterwards.
            assert len(self.words.before)
        self.pooled = PooledVolumes(cache / "pooled", model, preprocessing, config.alignment.window)
        splits = split_cases(pairs.dataset, config.data.validation, seed=config.running.seed)
        limit = config.data.limit or None
        self.train: list[Pair] = pairs.of(splits["train"])[:limit]
        # Whatever is not trained on is held out; one reconstruction of each scan.
        held_out = {pair.case.scan: pair for pair in pairs.of([*splits["val"], *splits["test"]])}
        self.held_out: list[Pair] = list(held_out.values())[: config.data.limit or RETRIEVED]
        _enough(self.train, config)

    def __getstate__(self) -> dict[str, object]:
        """For a process that loads samples: the network stays here."""
        return self.__dict__ | {"model": None}

    @property
    def samples(self) -> ReportSamples:
        """Volumes with their texts, of the pairs to train on."""
        batch_size, seed = self.config.optimisation.batch_size, self.config.running.seed
        return ReportSamples(self.train, self._volume, self.config.alignment.captions_per_report, batch_size, seed)

    def collate(self, samples: list[Any]) -> ReportPart:
        """As `train.data.report_samples.report_part`."""
        return report_part(samples, self.config.alignment.captions_per_report)

    def settings(self) -> dict[str, Any]:
        """All that decides what is learned."""
        return settings_with(self.config, [f"{self.all.source.identity}: {len(self.train)} pairs"])

    def prepare(self, engine: Engine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Volumes to vectors, each once; those that cannot be read are left out or end the run."""
        pairs = [*self.train, *self.held_out]
        if numbers is None:
            for line in self.all.summary():
                progress.message(line)
        else:
            order = self.samples.order
            pairs = [self.train[order[number]] for number in numbers]
        cases = list({pair.case.id: pair.case for pair in pairs}.values())
        if self.unlocked:
            problems = [problem for case in cases for problem in check(case, self.all.dataset)[:1]]
        else:
            problems = self.pooled.prepare(cases, engine, progress, self.config.running.workers)
        if self.config.running.on_problem == "refuse":
            refuse(self.all.dataset.root, problems, len(cases))
        tell_problems(progress, problems)
        out = {problem.case for problem in problems}
        self.train = [pair for pair in self.train if pair.case.id not in out]
        self.held_out = [pair for pair in self.held_out if pair.case.id not in out]
        _enough(self.train, self.config)

    def begin(self, engine: Engine, progress: Progress) -> None:
        """What is usual of a volume's vector: every process finds the same."""
        count = STANDARD_UNLOCKED if self.unlocked else STANDARD
        apart = max(len(self.train) // count, 1)
        vectors = [self._vector(pair.case, engine).cpu() for pair in self.train[::apart][:count]]
        self.model.standardised.fit(torch.stack(vectors).to(engine.device))

    def end(self, engine: Engine, progress: Progress) -> None:
        """Nothing comes after the last step."""

    def backward(self, parts: Sequence[Any], step: int, engine: Engine) -> dict[str, Tensor]:
        """The loss of the whole batch, of all parts and processes; with several parts by gradient caching."""
        found: list[AlignmentLoss] = []

        def loss(volumes: Tensor, texts: Tensor) -> Tensor:
            found.append(self._loss(volumes, texts, parts, engine.device))
            return found[-1].total

        towers = [
            Tower(lambda part: self._embed_volumes(part, engine), parts),
            Tower(lambda part: self._embed_texts(part, engine), parts),
        ]
        if len(parts) == 1:
            engine.backward(loss(*(tower.encode(parts[0]) for tower in towers)))
        else:
            cached_backward(towers, loss, backward=engine.backward)
        last = found[-1]
        words = self._words(step, engine)
        return {
            "loss": last.total.detach() + words,
            "words_loss": words,
            "report_loss": last.report.detach(),
            "caption_loss": last.caption.detach(),
            "logit_scale": self.model.log_scale.detach().exp(),
        }

    def _words(self, step: int, engine: Engine) -> Tensor:
        if self.words is None:
            return torch.zeros((), device=engine.device)
        with engine.autocast():
            loss = self.config.alignment.words_weight * self.words.loss(step)
        engine.backward(loss)
        return loss.detach()

    def after_step(self) -> None:
        """Keeps the logit scale where CLIP does."""
        clamp_log_scale_(self.model.log_scale)

    @torch.no_grad()
    def evaluate(self, engine: Engine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Retrieval on held-out pairs; each process takes a share of them."""
        if len(self.held_out) < 2:
            return {}
        own = self.held_out[engine.rank :: engine.world]
        volumes = [self._embedded(pair.case, engine).cpu() for pair in own]
        texts = [pair.text for pair in own]
        # With more processes than pairs, some have none.
        reports = list(self.model.text.encode(texts).cpu()) if own else []
        every = [pair for rank in engine.gathered(list(zip(volumes, reports, texts, strict=True))) for pair in rank]
        volumes, reports, texts = ([pair[place] for pair in every] for place in range(3))
        return retrieval(torch.stack(volumes), torch.stack(reports), texts)

    def save(self, folder: Path, step: int) -> None:
        """Image encoder, text encoder and what is between them; the image's decoder goes along for the next stage."""
        data: list[JsonValue] = [
            {"captions": str(self.all.source.path), "volumes": str(self.all.dataset.root), "pairs": len(self.train)}
        ]
        record = learned_by("align", self.config, data, step)
        save_checkpoint(self.model, folder, self.preprocessing, trained_on=[*self.earlier, record])

    def describe(self, part: Any) -> list[str]:
        """Shapes for a person."""
        volumes = part.volumes
        shape = tuple(volumes.shape) if isinstance(volumes, Tensor) else [tuple(each.shape) for each in volumes]
        return [
            f"volumes {shape}, {len(part.reports)} reports, captions {tuple(part.captions.shape)}, "
            f"{len(part.texts)} different texts",
            f"{len(self.train):,} pairs to train on, {len(self.held_out):,} held out",
        ]

    def _volume(self, case: Case) -> Tensor:
        if not self.unlocked:
            return self.pooled[case]
        read = read_volume(case, self.preprocessing)
        if read.problem:
            raise DataError(f"{case.id} cannot be used: {read.problem}")
        return read.volume

    def _embed_volumes(self, part: ReportPart, engine: Engine) -> Tensor:
        with engine.autocast():
            if isinstance(part.volumes, Tensor):
                return self.model.embed_pooled(part.volumes.to(engine.device))
            window = self.config.alignment.window
            pooled = [pool_volume(self.model, volume.to(engine.device), window) for volume in part.volumes]
            return self.model.embed_pooled(torch.stack(pooled))

    def _embed_texts(self, part: ReportPart, engine: Engine) -> Tensor:
        """(B + B·K, E): the reports, then the captions; places without a text hold some other one."""
        with engine.autocast():
            embedded = embed_by_length(self.model.text, part.texts).float()
        places = torch.cat((part.reports, part.captions.flatten())).clamp(min=0)
        return embedded[places.to(engine.device)]

    def _loss(self, volumes: Tensor, texts: Tensor, parts: Sequence[ReportPart], device: torch.device) -> AlignmentLoss:
        options, size = self.config.alignment, len(parts[0].reports)
        count = options.captions_per_report
        texts = texts.view(len(parts), size * (1 + count), -1)
        reports = torch.cat([part.reports for part in parts]).to(device)
        captions = torch.cat([part.captions for part in parts]).to(device)
        # Where there is no text, the id of some other one: it is not looked at.
        ids = [(part.text_ids(), part) for part in parts]
        report_ids = torch.cat([each[part.reports.clamp(min=0)] for each, part in ids])
        caption_ids = torch.cat([each[part.captions.clamp(min=0)] for each, part in ids])
        return alignment_loss(
            volumes,
            texts[:, :size].flatten(0, 1),
            texts[:, size:].reshape(len(parts) * size, count, -1),
            self.model.log_scale,
            report_weight=options.report_weight,
            caption_weight=options.caption_weight,
            report_ids=report_ids.to(device),
            report_valid=reports >= 0,
            caption_ids=caption_ids.to(device),
            caption_valid=captions >= 0,
            scan_ids=torch.cat([part.scans for part in parts]).to(device),
            reading=options.reading,
        )

    def _embedded(self, case: Case, engine: Engine) -> Tensor:
        return self.model.embed_pooled(self._vector(case, engine)[None].to(engine.device))[0]

    def _vector(self, case: Case, engine: Engine) -> Tensor:
        volume = self._volume(case)
        return volume if volume.dim() == 1 else self.pooled.pooled(volume, engine)


def embed_by_length(text: TextEncoder, texts: Sequence[str]) -> Tensor:
    """Texts to vectors (N, E) with their gradient: those of about one length go together.

    A batch is padded to its longest text. In one with whole reports, captions would be four fifths padding.
    """
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    batches = [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]
    embedded = torch.cat([text.embed([texts[place] for place in batch]) for batch in batches])
    return embedded[torch.tensor(order, device=embedded.device).argsort()]


def open_alignment(captions: Path, volumes: Path | None, config: AlignConfig, cache: Path) -> Align:
    """Pairs and model as the settings say. Raises ConfigError, DataError, CheckpointError, TextEncoderError."""
    options = config.alignment
    if not captions.exists():
        raise DataError(f"{captions} is not there: `ovct curate REPORTS --out {captions}` makes a caption set")
    dataset = open_dataset(volumes, config.data.layout or None) if volumes else None
    pairs = read_pairs(captions, dataset)
    if not options.image:
        raise ConfigError(
            "image: name the image encoder, a checkpoint of `ovct train pretrain` or a published STU-Net file: "
            "--image PATH"
        )
    start = starting_point(Path(options.image))
    if options.pooling == "structures" and start.image.num_classes is None:
        raise ConfigError(
            f"pooling: 'structures' takes a network that outlines some, and {options.image} has no heads: "
            "--pooling mean_max"
        )
    torch.manual_seed(config.running.seed)
    model = Aligner(start.image, TextEncoder.from_pretrained(options.text), pooling=options.pooling)
    check_patch(model.image, options.window, "window")
    return Align(model, pairs, start.preprocessing, config, cache, earlier=start.earlier)


def _enough(pairs: Sequence[Pair], config: AlignConfig) -> None:
    scans = len({pair.case.scan for pair in pairs})
    if scans < config.optimisation.batch_size:
        raise ConfigError(
            f"batch_size {config.optimisation.batch_size}: there are {scans} scans to train on, and no scan may be "
            f"twice in a batch; take a batch_size of at most {scans}"
        )
