"""Findings and what people did with them."""
