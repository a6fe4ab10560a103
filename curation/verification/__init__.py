"""Deciding whether a report supports a caption: evidence, entailment, status and the reason of a refusal."""
