"""Every hyper-parameter of the stages, with its default, its bounds and the text that `--help` shows.

Options come in groups (`Running`, `Optimisation`, ...), each a frozen dataclass that checks its own values; a stage has
some of the groups (`PretrainConfig` and its like). What the paper does not let us confirm (it names three stages, K = 3
captions and a frozen encoder) is our choice, and so are all defaults.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from models.architecture import CONNECTOR_WIDTH

from .option import ConfigError as ConfigError
from .option import option, require_at_least
from .option_table import with_unique_options
from .prompting import Prompting
from .speed import Speed
from .word_learning import WordLearning

LabelledBy = Literal["auto", "all", "present", "file"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
LoggerName = Literal["tensorboard", "wandb", "mlflow"]
Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Running:
    """Says where and how a run goes on; nothing here changes what is learned, but for the seed and the precision."""

    seed: int = option(0, "Seed of everything random.")
    accelerator: str = option("auto", "cpu, cuda, mps or auto.")
    devices: int = option(1, "Processes on this machine, one for each device; torchrun says it by itself.")
    num_nodes: int = option(1, "Machines; the same command runs on each.")
    precision: Precision = option("auto", "auto: bf16-mixed where the device has it natively, else 32-true.")
    workers: int = option(
        -1, "Processes that load and crop volumes beside the training; -1 for none on a CPU, up to 8 for a GPU."
    )
    save_every: int = option(500, "Steps between two checkpoints.")
    evaluate_every: int = option(500, "Steps between two evaluations on held-out cases.")
    evaluation_share: float = option(
        0.1, "Largest share of the time for evaluations: one that would go beyond is left out, but not the last."
    )
    logger: LoggerName = option(
        "tensorboard", "Where numbers go beside metrics.jsonl; wandb and mlflow need the extra of that name."
    )
    log_every: int = option(10, "Steps between two lines of the log.", flag=False)
    on_problem: Literal["skip", "refuse"] = option("skip", "What a broken case does: it is left out, or ends the run.")
    cache: str = option("", "Folder for prepared volumes and embeddings; without it, OUT/cache.")

    def __post_init__(self) -> None:
        require_at_least(self, 1, "devices", "num_nodes", "save_every", "evaluate_every", "log_every")
        require_at_least(self, 0, "seed")
        require_at_least(self, -1, "workers")
        require_at_least(self, 0, "evaluation_share")
        if self.evaluation_share > 1:
            raise ConfigError(f"evaluation_share: a share of the time, at most 1, not {self.evaluation_share}")


@dataclass(frozen=True)
class Optimisation:
    """Says how weights move: AdamW with a linear warm-up and a cosine schedule (train/loop/optimisation.py).

    `learning_rate` is the highest rate of the schedule. A parameter's own rate is this times a multiplier, which the
    stage's task gives by the beginning of the parameter's name (`Task.lr_multipliers`):

    - `image.` in stage 3 (the decoder, and the encoder if unlocked): `decoder_learning_rate`;
    - `text.` in stage 2: `text_learning_rate`;
    - all others, the connector of stage 3 among them: 1.

    The connector of stage 3 is also trained outside this schedule, by optimisers of their own: before the first step
    from the same `learning_rate` with the schedule of train/stages/connector_warmup.py, and after the last step its
    presence head alone at `PRESENCE_LEARNING_RATE` (train/stages/presence_fit.py).
    """

    steps: int = option(2000, "Optimizer steps.")
    batch_size: int = option(2, "Samples in one step, over all processes and accumulated parts.")
    accumulate: int = option(1, "Parts that a process takes one after the other, to save memory.")
    learning_rate: float = option(1e-3, "Highest learning rate.")
    final_learning_rate: float = option(0.01, "Learning rate at the end, as a share of the highest.")
    warmup_steps: int = option(50, "Steps in which the learning rate rises.")
    weight_decay: float = option(0.01, "AdamW's weight decay; biases and norms have none.")
    clip_norm: float = option(1.0, "Longest gradient; 0 for no limit.")
    ema: float = option(0.0, "Decay of an average over the steps' weights, such as 0.999; 0 for none.")

    def __post_init__(self) -> None:
        require_at_least(self, 1, "steps", "batch_size", "accumulate")
        require_at_least(
            self, 0, "learning_rate", "final_learning_rate", "warmup_steps", "weight_decay", "clip_norm", "ema"
        )
        if self.ema >= 1 or self.final_learning_rate > 1:
            raise ConfigError(f"ema {self.ema} and final_learning_rate {self.final_learning_rate}: below 1")


@dataclass(frozen=True)
class Crops:
    """Says which part of a volume one sample shows."""

    patch: Triple = option((128, 128, 128), "Voxels D H W (superior, anterior, right) of one sample.")
    foreground: float = option(0.67, "Share of the samples whose patch lies around a labelled structure.")
    augment: bool = option(
        True, "Scale, shift and turn patches a little, change grey values; never mirrored: sides matter."
    )

    def __post_init__(self) -> None:
        require_at_least(self, 0, "foreground")
        if min(self.patch) < 1 or self.foreground > 1:
            raise ConfigError(f"patch {self.patch}, foreground {self.foreground}")


@dataclass(frozen=True)
class Data:
    """Says which of the data are used, and what for."""

    limit: int = option(0, "Use only so many cases, or reports; 0 for all.")
    validation: float = option(0.1, "Share of the patients held out, where the data set has no split of its own.")
    layout: str = option(
        "",
        "Kind of data set, where it cannot be told: totalsegmentator, totalsegmentator-maps, msd, nnunet, ct-rate, "
        "volumes.",
    )
    prepare_workers: int = option(
        0, "Processes that read and prepare volumes before the first step; 0 for one on each core."
    )

    def __post_init__(self) -> None:
        require_at_least(self, 0, "limit", "validation", "prepare_workers")
        if self.validation >= 1:
            raise ConfigError(f"validation {self.validation}: a share of the patients, below 1")


@dataclass(frozen=True)
class Labelling:
    """Says which structures were looked for in each case: what was not is unknown there, not absent."""

    labelled: LabelledBy = option(
        "auto",
        "What was looked for in a case: all structures; those present in its labels; those that labelled.json in the "
        "data set names (file). auto: file where there is one, else all.",
    )


@dataclass(frozen=True)
class Pretraining:
    """Options of stage 1 alone: the image encoder and decoder learn the classes of a data set."""

    size: str = option("B", "STU-Net's size: S, B, L, H, or tiny.")
    weights: str = option("", "Start from these: a published STU-Net file, or a checkpoint of ours.")
    spacing_mm: tuple[float, float, float] = option((1.5, 1.5, 1.5), "Voxel size of D H W.")
    checkpointing: bool = option(False, "Compute activations again instead of keeping them.")
    missed_structure_weight: float = option(0.0, "Weight of a loss on structures that are missed whole.")

    def __post_init__(self) -> None:
        require_at_least(self, 0, "missed_structure_weight")


@dataclass(frozen=True)
class Alignment:
    """Options of stage 2 alone: the text encoder is aligned to an image encoder that stays as it is."""

    image: str = option("", "Checkpoint of `train pretrain`, or a published STU-Net file.")
    text: str = option(
        "FremyCompany/BioLORD-2023", "Text encoder: a name on the hub, a directory, or a checkpoint of `train words`."
    )
    captions_per_report: int = option(3, "K captions sampled from a report's accepted ones.")
    report_weight: float = option(1.0, "Weight of the CLIP loss on whole reports.")
    caption_weight: float = option(1.0, "Weight of the multi-granularity loss on captions; 0 leaves CLIP alone.")
    mgcl: Literal["organ", "volume"] = option(
        "organ", "What a caption is held against: the part of a volume's vector that shows its organ, or the whole."
    )
    opposite_weight: float = option(0.0, "Weight of the loss on captions beside their opposites (side, denial, size).")
    anchor_weight: float = option(1.0, "Weight of the loss that holds the vocabulary's names where they were.")
    mgcl_variant: Literal["mean", "joint"] = option(
        "mean", "mean: average K CLIP losses; joint: one softmax over all captions."
    )
    pooling: Literal["structures_hu", "structures", "mean", "max", "mean_max"] = option(
        "structures_hu",
        "How a volume becomes one vector: volume and mean features of each structure that the network outlines, with "
        "counts of its voxels by HU or without; or mean, maximum or both of its bottleneck.",
    )
    window: Triple = option((128, 128, 128), "Voxels D H W that go through the image encoder at once.")
    unlock_image: bool = option(False, "Train the image encoder too (the paper's ablation); nothing is cached then.")
    text_learning_rate: float = option(
        0.1, "Learning rate of the text encoder, as a share of the highest; 0: it does not train, and is run once."
    )

    def __post_init__(self) -> None:
        require_at_least(self, 1, "captions_per_report")
        require_at_least(self, 0, "report_weight", "caption_weight", "opposite_weight", "anchor_weight")
        require_at_least(self, 0, "text_learning_rate")
        if self.mgcl == "organ" and self.pooling not in ("structures_hu", "structures"):
            raise ConfigError(
                f"mgcl: 'organ' takes --pooling structures_hu or structures; for {self.pooling!r}, --mgcl volume"
            )


@dataclass(frozen=True)
class Segmenting:
    """Options of stage 3 alone: the decoder and the connector learn to turn prompts into masks."""

    start: str = option("", "Checkpoint of `train align` (image and text), or of `train pretrain`.")
    text: str = option(
        "", "Text encoder, where `start` has none: a name on the hub, a directory, or a checkpoint of `train words`."
    )
    connector: Literal["mlp", "cross_attention"] = option("mlp", "How a prompt becomes a query.")
    hidden: int = option(CONNECTOR_WIDTH, "Width of the connector.", flag=False)
    levels: int = option(4, "Decoder levels with a loss of their own.", flag=False)
    queries_per_prompt: int = option(
        1, "Queries that a prompt becomes; its mask is about the union of theirs (logsumexp)."
    )
    presence_weight: float = option(0.5, "Weight of the loss on whether a structure is there at all.")
    missed_structure_weight: float = option(0.2, "Weight of the loss on what is missed whole, or made up.")
    presence_patches: int = option(
        256, "Patches on which presence is learned once more, after the last step.", flag=False
    )
    connector_steps: int = option(
        1500, "Steps of the connector alone, on stored features, before the first step.", flag=False
    )
    decoder_learning_rate: float = option(0.3, "Learning rate of the decoder, as a share of the highest.")
    unlock_image: bool = option(False, "Train the image encoder too.")

    def __post_init__(self) -> None:
        require_at_least(self, 1, "hidden", "levels", "queries_per_prompt")
        require_at_least(self, 0, "presence_weight", "missed_structure_weight", "decoder_learning_rate")
        require_at_least(self, 0, "connector_steps", "presence_patches")


@with_unique_options
@dataclass(frozen=True)
class WordsConfig:
    """All settings of `train words`; a sample is an organ with its kin, and a group with its members."""

    words: WordLearning = WordLearning()
    optimisation: Optimisation = Optimisation(steps=240, batch_size=8, learning_rate=3e-5, warmup_steps=30)
    running: Running = Running()


@with_unique_options
@dataclass(frozen=True)
class PretrainConfig:
    """All settings of stage 1."""

    pretraining: Pretraining = Pretraining()
    data: Data = Data()
    labelling: Labelling = Labelling()
    crops: Crops = Crops()
    speed: Speed = Speed()
    optimisation: Optimisation = Optimisation()
    running: Running = Running()


@with_unique_options
@dataclass(frozen=True)
class AlignConfig:
    """All settings of stage 2."""

    alignment: Alignment = Alignment()
    data: Data = Data()
    optimisation: Optimisation = Optimisation(steps=1000, batch_size=64, learning_rate=1e-3)
    running: Running = Running()


@with_unique_options
@dataclass(frozen=True)
class SegmentConfig:
    """All settings of stage 3."""

    segmenting: Segmenting = Segmenting()
    prompting: Prompting = Prompting()
    data: Data = Data()
    labelling: Labelling = Labelling()
    crops: Crops = Crops()
    speed: Speed = Speed()
    optimisation: Optimisation = Optimisation()
    running: Running = Running()


StageConfig = WordsConfig | PretrainConfig | AlignConfig | SegmentConfig


def flat(config: StageConfig) -> dict[str, Any]:
    """Return the value of every option by its name, as a YAML file would have it."""
    return {name: value for group in asdict(config).values() for name, value in group.items()}
