"""Engines turn reports into drafts of captions: claims, until the verifier has held them against the report.

There are two kinds. An ``Engine`` works on the text itself and runs beside the verifier, in each worker process. A
``ChatEngine`` answers chats: what a report is asked, and what its answers mean, is the same whichever of them it is
(``curation/llm``).
"""

from __future__ import annotations
