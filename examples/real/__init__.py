"""From contours on real CT to masks by prompt, in a quarter of an hour. See `python -m examples.real --help`."""
