"""Free texts of photos, spelled in many ways, become categories: proposed, reviewed, kept in versions, applied."""
