"""Engines turn reports into drafts of captions: claims, until the verifier has checked them against the report.

There are two kinds. A ``TextEngine`` (``base.py``) works on the text itself and runs beside the verifier, in each
worker process; the built-in one is ``RulesEngine`` (``rules.py``, with ``non_findings.py`` and ``caption_wording.py``).
A ``ChatEngine`` (``chat.py``) answers chats: ``OpenAIEngine`` asks a server, ``VllmEngine`` runs a model on this
machine. Which questions a report becomes, and how their answers are read, does not depend on the engine
(``curation/llm``).
"""

from __future__ import annotations
