"""Records that stand in the manifest of a caption set, beside those that each run writes."""
