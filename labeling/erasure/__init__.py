"""Photos and people are erased, on request or when their time is over (docs/decisions/0043-what-is-erased.md).

Asked for, a photo is gone from everywhere at once; for a time an admin may bring it back; then its content goes for good,
wherever it is kept. What was decided stays, as a record without content.
"""
