"""Measures whether a report gives the same captions however it is written down, without any labels."""
