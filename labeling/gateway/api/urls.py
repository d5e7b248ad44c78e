"""Every file of the API is loaded, and declares its addresses as it is: a new file is found by itself."""

from importlib import import_module
from pkgutil import walk_packages

from labeling.gateway import api
from labeling.gateway.api.base import routes

for _file in walk_packages(api.__path__, f"{api.__name__}."):
    import_module(_file.name)

urlpatterns = routes
