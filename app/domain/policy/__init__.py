"""Policy packs and the clauses they quote."""
