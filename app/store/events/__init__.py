"""Event batches: packed, appended, read back, joined."""
