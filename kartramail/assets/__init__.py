"""Forms, calendars, products …: what they are, the notifications they send, their events."""
