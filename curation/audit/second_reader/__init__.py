"""A second reader of a whole caption set (`ovct audit --second-reader`): another system's reading of every caption."""
