"""Static files under names that change with their content."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """The imports of our own modules name hashed files, too, so that no page mixes modules of two versions.

    Django's switch for this reads the scripts of every library, and stumbles over a comment in one of them.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (
                    r"""(?P<matched>(?P<names>\bimport \{[^}]*\} from )"(?P<url>\.[^"]+)";)""",
                    """%(names)s"%(url)s";""",
                ),
                (r"""(?P<matched>\bimport\("(?P<url>\.[^"]+)"\))""", """import("%(url)s")"""),
            ),
        ),
    )
