"""What the prediction service runs. Only it, and workers, load these modules; never the web process."""
