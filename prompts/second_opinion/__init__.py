"""The prompt of a second opinion (`ovct curate --second-opinion`), and what reads it."""
