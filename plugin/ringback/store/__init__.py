"""The database: one writer that takes plain steps, readers beside it, queries by noun."""
