"""Which structures were looked for in which case, and in how many cases each is."""
