"""Courses, classes, rosters, and the lists about them."""
