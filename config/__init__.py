"""Settings, URLs and the processes around the app."""

import gc

#: How often Python looks for garbage once a process has started. While it starts nearly all that is made stays, and to look
#: through it again and again was a sixth of its time; ``labeling.gateway.apps`` has the usual back when all rooms are there.
COLLECTING = gc.get_threshold()
gc.set_threshold(200_000, *COLLECTING[1:])
