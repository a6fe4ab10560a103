"""The prompt of a second reader (`ovct audit --second-reader`), and what reads it."""
