"""The web process's entry point (ASGI, so that server-sent events cost no thread)."""

import os
import warnings

from config.database import ensure_database, var_dir

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("HILLTOP_ROLE", "web")
ensure_database()
# Whitenoise hands static files over in pieces, which Django reads to the end under ASGI and warns of. They are small.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators", Warning)
(var_dir() / "static").mkdir(parents=True, exist_ok=True)  # whitenoise warns at each start when it is missing

import django  # noqa: E402  (settings read DATABASE_URL when imported)

django.setup(set_prefix=False)

from labeling.gateway.bodies import BoundedBodies  # noqa: E402  (needs the apps)
from labeling.gateway.waiting import PatientHandler  # noqa: E402

application = BoundedBodies(PatientHandler())
