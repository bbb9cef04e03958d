"""What the service decides and does, without HTTP and without SQL: one room a subject."""
