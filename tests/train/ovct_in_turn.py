"""Several commands of `ovct`, one after the other in this process: `ovct_in_turn.py '[["train", ...], ...]'`."""

import json
import sys

import ovct

if __name__ == "__main__":
    for words in json.loads(sys.argv[1]):
        if code := ovct.command_line()(words, standalone_mode=False):
            sys.exit(code)
