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

from django.core.asgi import get_asgi_application  # noqa: E402  (settings read DATABASE_URL when imported)

_django = get_asgi_application()

from labeling.gateway.bodies import BoundedBodies  # noqa: E402  (needs the apps)

application = BoundedBodies(_django)
