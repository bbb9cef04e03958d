"""Rows of courses, classes, people and the lists about them."""
