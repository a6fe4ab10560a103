"""Dice and surface distances of a segmenter on labelled scans, with tables, plots and comparisons."""
