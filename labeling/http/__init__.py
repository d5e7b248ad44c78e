"""Addresses: ours that are a permission or change nothing, and those of others, reached from here alone; and refusals."""
