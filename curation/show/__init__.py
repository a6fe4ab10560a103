"""`ovct show`: the reports of a caption set with all of their captions, in a browser or as one file."""
