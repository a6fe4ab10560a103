"""Reading English radiology statements: tokens, organs, findings, measurements, negation and clauses."""
