"""How the clauses of a caption may draw on those of its evidence: what belongs to what, and what stands in two."""
