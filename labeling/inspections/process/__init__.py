"""How inspections go: as they come, in figures, and one asset over time; so that the process can be mended."""
