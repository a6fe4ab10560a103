"""The commands that work on volumes: train, segment and evaluate."""
