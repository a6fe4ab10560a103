"""Words of a caption in its evidence: by themselves, as kinds of each other, as aspects that are normal."""
