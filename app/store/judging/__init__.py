"""Evidence as columns, verdicts as rows, and the runs between them."""
