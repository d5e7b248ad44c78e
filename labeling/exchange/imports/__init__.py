"""Labels that were made elsewhere: read, mapped, tried, applied, and undone as a whole."""
