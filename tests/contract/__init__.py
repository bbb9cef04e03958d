"""The OpenAPI document: what it promises, and that a client made from it works."""
