"""What mail is: pure rules, without I/O, Flask or database."""
