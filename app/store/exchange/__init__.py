"""Staged imports, statements, the webhook outbox, and rows for packages and lists."""
