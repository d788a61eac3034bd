"""What the source says of the attributes of a class, read when it is asked for."""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise


def attribute_docstrings(kind: type, root: type) -> dict[str, str]:
    """Return the string below each annotated attribute of a class and of its bases up to `root`.

    Only the JSON Schema shows them. Pydantic would read them from the source of every class as it
    is imported, a third of what the import of a scenario's classes takes.
    """
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, root):
            found |= _of_module(base.__module__).get(base.__name__, {})
    return found


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """Return the strings below the attributes of each class of a module; none without a source."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (OSError, TypeError):
        return {}
    return {each.name: _below(each) for each in tree.body if isinstance(each, ast.ClassDef)}


def _below(definition: ast.ClassDef) -> dict[str, str]:
    return {
        attribute.target.id: inspect.cleandoc(below.value.value)
        for attribute, below in pairwise(definition.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
