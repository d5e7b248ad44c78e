"""PostgreSQL as every room uses it: rows that only grow, locks, partitions, plans, and counts that triggers keep.

It knows tables by their names and projects by their keys, and no room.
"""
