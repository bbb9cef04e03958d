"""Rows of the controls ledger."""
