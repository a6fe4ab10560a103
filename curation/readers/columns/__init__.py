"""Which columns of a table hold reports and their ids, decided from names and from what stands in the first rows."""
