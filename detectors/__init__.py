"""The rules, as pure functions over columns. They read no clock, no file, no setting, no log."""
