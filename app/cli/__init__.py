"""The command `zhenxue`: one module a subcommand."""
