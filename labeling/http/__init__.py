"""Addresses: who may use ours, those that are a permission, and those of others, reached from here alone; and refusals."""
