"""Caption sets in the forms of other programs, each written whole or not at all."""
