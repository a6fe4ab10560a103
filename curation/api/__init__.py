"""The Python API of curation; the command line calls the same functions, and `ovct` names them."""
