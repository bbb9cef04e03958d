"""What the web process does before and around every request."""
