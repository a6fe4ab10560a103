"""The error of scans that cannot be used."""

from curation.runtime.errors import OvctError


class ScanError(OvctError, ValueError):
    """Raised for a file that cannot be used as a volume. The text names the file, what is wrong and the way out."""

    exit_code = 2
