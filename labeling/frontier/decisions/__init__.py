"""Automatic decisions as people are told of them: counted, listed, explained, taken back."""
