"""The rules, as pure functions over columns. Nothing here reads a clock, a file, a setting or a log."""
