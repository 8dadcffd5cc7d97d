"""The durable queue: rows, contents, claims. Knows an account only by its number."""
