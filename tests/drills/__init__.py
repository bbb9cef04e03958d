"""Drills: real processes under load while the ground gives way (`make drills`)."""
