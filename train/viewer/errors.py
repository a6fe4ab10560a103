"""The error of what cannot be shown."""

from curation.runtime.errors import OvctError


class ViewError(OvctError, ValueError):
    """A scan, a mask or an option that cannot be used as it is; the text says what to do."""

    exit_code = 2
