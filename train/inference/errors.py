"""The errors of segmenting, importable without torch."""

from curation.runtime.errors import OvctError


class SegmentError(OvctError, ValueError):
    """Prompts, options, a checkpoint or an output that cannot be used as they are."""

    exit_code = 2


class LogitStorageError(OvctError, ValueError):
    """The disk has no room for the logits or features of a volume: a failure under way."""

    exit_code = 1


class EngineError(OvctError, ValueError):
    """Another program that was to make the masks has failed, or gave masks of something else."""

    exit_code = 1
