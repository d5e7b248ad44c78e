"""Whether a model version may go out, told to a pipeline: see docs/bundles.md."""
