"""What there is: a file for each kind, and one for what every kind sends."""
