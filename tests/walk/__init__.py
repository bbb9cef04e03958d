"""Every route of the application, as the router itself names them, tried by everybody."""
