"""Numbers of a statement: in digits or words, with their units; dates; sizes of an earlier day; numbers of things."""
