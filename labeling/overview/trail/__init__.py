"""The audit trail: who did what to accounts and projects, and when. For administrators of the site."""
