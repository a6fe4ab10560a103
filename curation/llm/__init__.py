"""Captions by a language model: what a report is asked, what the answers say, and how they become an outcome."""
