"""What players and pages report: parsed, checked, and taken in."""
