"""Activity: every message of an account, and what became of each (R-LOG)."""
