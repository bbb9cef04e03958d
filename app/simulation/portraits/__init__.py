"""Clearly artificial portraits: photographs of nobody."""
