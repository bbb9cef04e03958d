"""What of a zip is read: members that are stored or deflated, as every packer does by default.

The other methods raise what their own libraries raise, and say nothing that a person could mend.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def require_usual(members: Iterable[zipfile.ZipInfo]) -> None:
    """Raises BadZipFile, naming a member that is packed in another way."""
    for member in members:
        if member.compress_type not in _METHODS:
            raise zipfile.BadZipFile(f"{member.filename!r} is neither stored nor deflated")
