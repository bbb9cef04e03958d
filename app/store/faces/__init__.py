"""Face data: rows, keys and encrypted objects."""
