"""A model version taken out as one file: see docs/bundles.md."""
