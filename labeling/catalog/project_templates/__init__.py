"""Projects that somebody thought out before: question, classes, criteria, checklists and strictness, as data."""
