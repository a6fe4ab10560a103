"""A report with all of its captions, as the pages of `ovct show` and of the review show it."""
