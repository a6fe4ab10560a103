"""What a statement says of the past: operations that were done, changes between two days."""
