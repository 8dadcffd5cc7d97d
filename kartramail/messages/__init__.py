"""Resolution (which sender, and why), composing, and the way into the outbox."""
