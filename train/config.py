"""Every hyper-parameter of the three stages, by name: filled from a YAML file or from flags of the same names.

A stage's settings are a few groups of options (`Running`, `Optimisation`, ...), each a frozen dataclass beside its
checks. What the paper does not let us confirm (it names three stages, K = 3 captions and a frozen encoder) is our
choice, and so are all defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from curation.runtime.errors import OvctError

Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]
Triple = tuple[int, int, int]


class ConfigError(OvctError, ValueError):
    """Settings that cannot be used; the text names the setting, its value and what would do."""

    exit_code = 2


def option(default: Any, help: str) -> Any:
    """A field of a group of options, with the text that `--help` shows."""
    return field(default=default, metadata={"help": help})


def _at_least(group: Any, least: int, *names: str) -> None:
    for name in names:
        # NaN is not at least anything.
        if not getattr(group, name) >= least:
            raise ConfigError(f"{name}: at least {least}, not {getattr(group, name)}")


@dataclass(frozen=True)
class Running:
    """Where and how a run goes on; nothing here changes what is learned, but for the seed and the precision."""

    seed: int = option(0, "Seed of everything random.")
    accelerator: str = option("auto", "cpu, cuda, mps or auto.")
    devices: int = option(1, "Processes on this machine, one for each device; torchrun says it by itself.")
    num_nodes: int = option(1, "Machines; the same command runs on each.")
    precision: Precision = option("auto", "auto: bf16-mixed where the device has it natively, else 32-true.")
    workers: int = option(0, "Processes that load and crop volumes beside the training.")
    save_every: int = option(500, "Steps between two checkpoints.")
    evaluate_every: int = option(500, "Steps between two evaluations on held-out cases.")
    log_every: int = option(10, "Steps between two lines of the log.")
    on_problem: Literal["skip", "refuse"] = option("skip", "What a broken case does: it is left out, or ends the run.")
    cache: str = option("", "Folder for prepared volumes and embeddings; without it, OUT/cache.")

    def __post_init__(self) -> None:
        _at_least(self, 1, "devices", "num_nodes", "save_every", "evaluate_every", "log_every")
        _at_least(self, 0, "seed", "workers")


@dataclass(frozen=True)
class Optimisation:
    """AdamW with a linear warm-up and a cosine schedule."""

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
        _at_least(self, 1, "steps", "batch_size", "accumulate")
        _at_least(self, 0, "learning_rate", "final_learning_rate", "warmup_steps", "weight_decay", "clip_norm", "ema")
        if self.ema >= 1 or self.final_learning_rate > 1:
            raise ConfigError(f"ema {self.ema} and final_learning_rate {self.final_learning_rate}: below 1")


@dataclass(frozen=True)
class Crops:
    """What of a volume one sample shows."""

    patch: Triple = option((128, 128, 128), "Voxels D H W (superior, anterior, right) of one sample.")
    foreground: float = option(0.67, "Share of the samples whose patch lies around a labelled structure.")
    augment: bool = option(
        True, "Scale, shift and turn patches a little, change grey values; never mirrored: sides matter."
    )

    def __post_init__(self) -> None:
        _at_least(self, 0, "foreground")
        if min(self.patch) < 1 or self.foreground > 1:
            raise ConfigError(f"patch {self.patch}, foreground {self.foreground}")


@dataclass(frozen=True)
class Data:
    """Which of the data are used, and what for."""

    limit: int = option(0, "Use only so many cases, or reports; 0 for all.")
    validation: float = option(0.1, "Share of the patients held out, where the data set has no split of its own.")
    layout: str = option(
        "",
        "Kind of data set, where it cannot be told: totalsegmentator, totalsegmentator-maps, msd, nnunet, ct-rate, "
        "volumes.",
    )

    def __post_init__(self) -> None:
        _at_least(self, 0, "limit", "validation")
        if self.validation >= 1:
            raise ConfigError(f"validation {self.validation}: a share of the patients, below 1")


@dataclass(frozen=True)
class Pretraining:
    """The image encoder and decoder, on the classes of a data set."""

    size: str = option("B", "STU-Net's size: S, B, L, H, or tiny.")
    weights: str = option("", "Start from these: a published STU-Net file, or a checkpoint of ours.")
    spacing_mm: tuple[float, float, float] = option((1.5, 1.5, 1.5), "Voxel size of D H W.")
    checkpointing: bool = option(False, "Compute activations again instead of keeping them.")


@dataclass(frozen=True)
class Alignment:
    """The text encoder, against an image encoder that stays as it is."""

    image: str = option("", "Checkpoint of `train pretrain`, or a published STU-Net file.")
    text: str = option("FremyCompany/BioLORD-2023", "Text encoder: a name on the hub, or a directory.")
    captions_per_report: int = option(3, "K captions sampled from a report's accepted ones.")
    report_weight: float = option(1.0, "Weight of the CLIP loss on whole reports.")
    caption_weight: float = option(1.0, "Weight of the multi-granularity loss on captions; 0 leaves CLIP alone.")
    words_weight: float = option(1.0, "Weight of the loss that holds the vocabulary's names where they were.")
    reading: Literal["mean", "joint"] = option(
        "mean", "How K captions meet the images; see train/losses/contrastive.py."
    )
    pooling: Literal["structures", "mean", "max", "mean_max"] = option(
        "structures",
        "How a volume becomes one vector: volume and mean features of each structure that the network outlines, or "
        "mean, maximum or both of its bottleneck.",
    )
    window: Triple = option((128, 128, 128), "Voxels D H W that go through the image encoder at once.")
    unlock_image: bool = option(False, "Train the image encoder too (the paper's ablation); nothing is cached then.")
    text_learning_rate: float = option(0.1, "Learning rate of the text encoder, as a share of the highest.")

    def __post_init__(self) -> None:
        _at_least(self, 1, "captions_per_report")
        _at_least(self, 0, "report_weight", "caption_weight", "words_weight", "text_learning_rate")


@dataclass(frozen=True)
class Segmenting:
    """The decoder and the connector, from prompts to masks."""

    start: str = option("", "Checkpoint of `train align` (image and text), or of `train pretrain`.")
    text: str = option("", "Text encoder, where `start` has none: a name on the hub, or a directory.")
    connector: Literal["mlp", "cross_attention"] = option("mlp", "How a prompt becomes a query.")
    hidden: int = option(512, "Width of the connector.")
    levels: int = option(4, "Decoder levels with a loss of their own.")
    prompts_per_step: int = option(24, "Prompts that one step asks of its samples.")
    merged: float = option(0.4, "Share of the prompts that name several structures at once, made up for the step.")
    presence_weight: float = option(0.5, "Weight of the loss on whether a structure is there at all.")
    rescue_weight: float = option(0.2, "Weight of the loss on what is missed whole, or made up.")
    presence_patches: int = option(256, "Patches on which presence is learned once more, after the last step.")
    connector_steps: int = option(1500, "Steps of the connector alone, on stored features, before the first step.")
    decoder_learning_rate: float = option(0.3, "Learning rate of the decoder, as a share of the highest.")
    unlock_image: bool = option(False, "Train the image encoder too.")

    def __post_init__(self) -> None:
        _at_least(self, 1, "hidden", "levels", "prompts_per_step")
        _at_least(self, 0, "merged", "presence_weight", "rescue_weight", "decoder_learning_rate")
        _at_least(self, 0, "connector_steps", "presence_patches")
        if self.merged > 1:
            raise ConfigError(f"merged: a share of the prompts, at most 1, not {self.merged}")


@dataclass(frozen=True)
class PretrainConfig:
    """Stage 1."""

    pretraining: Pretraining = Pretraining()
    data: Data = Data()
    crops: Crops = Crops()
    optimisation: Optimisation = Optimisation()
    running: Running = Running()


@dataclass(frozen=True)
class AlignConfig:
    """Stage 2."""

    alignment: Alignment = Alignment()
    data: Data = Data()
    optimisation: Optimisation = Optimisation(steps=1000, batch_size=64, learning_rate=1e-3)
    running: Running = Running()


@dataclass(frozen=True)
class SegmentConfig:
    """Stage 3."""

    segmenting: Segmenting = Segmenting()
    data: Data = Data()
    crops: Crops = Crops()
    optimisation: Optimisation = Optimisation()
    running: Running = Running()


StageConfig = PretrainConfig | AlignConfig | SegmentConfig
AnyStage = TypeVar("AnyStage", bound=StageConfig)


def options_of(config: type[Any]) -> dict[str, tuple[str, Field[Any], Any]]:
    """Every option of a stage by its name: the group that it belongs to, its field, and its default."""
    found = {}
    for group in fields(config):
        assert group.default is not MISSING
        for each in fields(group.default):
            found[each.name] = group.name, each, getattr(group.default, each.name)
    return found


def load_config(config: type[AnyStage], path: Path | None, given: Mapping[str, object]) -> AnyStage:
    """The settings of a stage: defaults, then the YAML file's, then those `given` as flags. Raises ConfigError."""
    read = _filled(config(), _read(path), f"{path}: ") if path else config()
    return _filled(read, given, "")


def _filled(config: AnyStage, values: Mapping[str, object], where: str) -> AnyStage:
    """The settings with other values for some options; what is said of a wrong one begins with `where`."""
    known = options_of(type(config))
    groups: dict[str, dict[str, object]] = {}
    try:
        for name, value in values.items():
            if name not in known:
                raise ConfigError(f"no setting is called {name!r}; there are {', '.join(sorted(known))}")
            group = known[name][0]
            groups.setdefault(group, {})[name] = _checked(name, value, _types(type(config), group)[name])
        changed: dict[str, Any] = {group: replace(getattr(config, group), **own) for group, own in groups.items()}
        return replace(config, **changed)
    except ConfigError as error:
        raise ConfigError(f"{where}{error}") from error


def flat(config: StageConfig) -> dict[str, Any]:
    """Every option by its name, as a YAML file would say it."""
    return {name: value for group in asdict(config).values() for name, value in group.items()}


def _read(path: Path) -> dict[str, object]:
    import yaml

    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise ConfigError(f"{path}: lines such as `steps: 1000` are expected, not a {type(read).__name__}")
    return {str(name): value for name, value in read.items()}


def _types(config: type[Any], group: str) -> dict[str, Any]:
    return get_type_hints(type(next(each.default for each in fields(config) if each.name == group)))


def _checked(name: str, value: object, type_: Any) -> object:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(type_).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"{name}: {value!r} will not do: {error.errors()[0]['msg'].lower()}") from error
