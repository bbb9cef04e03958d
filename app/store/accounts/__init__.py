"""Platforms, users, what each may see, and the audit log."""
