"""Rows of sittings, and what is read around one."""
