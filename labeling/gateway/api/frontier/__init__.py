"""What the machine may decide, on what proof, what it decided, and the last word of people."""
