"""From real CT with contours to masks by prompt, in half an hour on two cores. See `python -m examples.real --help`."""
