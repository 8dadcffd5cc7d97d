"""The loop that delivers, and the rounds."""
