"""Sign-up and the checklist."""
