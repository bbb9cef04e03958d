"""Photos and faces: kept encrypted, compared, calibrated, shown with a purpose, destroyed."""
