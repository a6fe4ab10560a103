"""The directory that `ovct curate` writes: schemas, manifest, shards, data card and statistics."""
