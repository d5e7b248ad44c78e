"""Addresses: ours that are a permission or change nothing, those of others, which are reached from here alone, and refusals."""
