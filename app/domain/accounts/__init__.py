"""Who uses the service: platforms, users, and learners' own accounts and links."""
