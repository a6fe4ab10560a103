"""Values that are kept so that they need not be made again: in memory for a while, on disk for a run."""
