"""Extraction: an engine and the verifier work on reports, and each distinct text gets one outcome."""
