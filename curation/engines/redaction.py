"""Removes secrets from what people and files see: the key of a server, and the password in its URL."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .server import NO_KEY

SHORT_KEY = 12
"""Characters; a shorter key, of a server at home, may be an ordinary word."""


def redacted_url(url: str) -> str:
    """Return a URL without user, password and query, which may be secrets."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


class Secrets:
    """Replaces secrets in the text of a server by stars: the key, a password in the URL, and what headers hold."""

    def __init__(self, url: str, key: str, *header_values: str) -> None:
        secrets = [key if key != NO_KEY else "", urlsplit(url).password or ""]
        secrets += [word for value in header_values for word in (value, *value.split()[-1:])]  # "Bearer SECRET"
        self._long = [secret for secret in secrets if len(secret) >= SHORT_KEY]
        short = [rf"(?<!\w){re.escape(secret)}(?!\w)" for secret in secrets if 0 < len(secret) < SHORT_KEY]
        # Users and passwords of any URL; what some servers show of a key, the rest made stars.
        self._patterns = re.compile("|".join([*short, r"(?<=//)[^/@\s\"']+(?=@)", r"(?<![\w-])[\w-]++\*{3,}[\w-]*"]))

    def redact_answer(self, text: str) -> str:
        """Return an answer without long secrets. Its words stay: only a secret that can be no word is replaced."""
        for secret in self._long:
            text = text.replace(secret, "***")
        return text

    def redact_error(self, text: str) -> str:
        """Return an error without any secret, nor what else looks like one."""
        return self._patterns.sub("***", self.redact_answer(text))
