"""Addresses: ours that are a permission or change nothing, and those of others, which are reached from here alone."""
