"""What every machine must see beside the database: photos, models, backbones, vectors, what waits for its intake.

One place, HILLTOP_STORAGE. Where that is a file system, the folders under ``var/`` are the store, and nothing is there
twice. Where it is a bucket, they are this machine's copies of it, fetched when they are asked for, and as many as fit.

``objects``: one file. ``folders``: a folder of several that belong together, whole or not there. ``copies``: what this
machine keeps of them. ``sums``: by which damage is told.
"""
