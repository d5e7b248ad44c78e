"""Model versions, what they say of the photos, and the lab in which strategies are tried."""
