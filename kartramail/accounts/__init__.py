"""Accounts, users, sessions, one-time links, API keys, history."""
