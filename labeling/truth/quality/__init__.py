"""How well people agree: with each other, with gold, and with what was settled in the end."""
