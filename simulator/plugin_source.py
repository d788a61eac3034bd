"""What stands for the code of a plug-in, so that runs of other code are not taken for its own."""

import hashlib
import inspect
import marshal
from collections.abc import Callable
from pathlib import Path
from typing import Any


def source_of(function: Callable[..., Any]) -> str:
    """Return the SHA-256 of the file of a function, or of the cell of a notebook."""
    code = function.__code__
    try:
        content = Path(code.co_filename).read_bytes()
    except (OSError, ValueError):
        try:
            content = inspect.getsource(function).encode()
        except (OSError, TypeError):  # typed at a prompt
            content = marshal.dumps(code)
    return hashlib.sha256(content).hexdigest()
