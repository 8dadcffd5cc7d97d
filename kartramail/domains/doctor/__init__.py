"""The DNS doctor: why a record is not found, in a sentence that names the mistake (R-CHECK)."""
