"""One learner in front of one lesson: opened, held by a lease, resumed, ended, read."""
