"""From a claimed row to a recorded result."""
