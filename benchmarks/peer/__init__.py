"""Hilltop beside Label Studio, on the same machine in the same minutes."""
