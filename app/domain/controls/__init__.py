"""Pop-ups, face checks and random photos: drawn, issued, answered, expired."""
