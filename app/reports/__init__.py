"""Lists that an office signs, and archives that anybody can verify. Beside the API and console."""
