"""How compiled kernels become one program: each is optimised once, in the kernel that Python calls.

Left to itself numba optimises a kernel, emits machine code for it and copies the outcome into
every kernel that calls it, where all of it is optimised and emitted again, level by level up to
the one that Python calls. A wrapper that unpacks Python objects is made at each level too, and
nobody calls but the topmost. So here a kernel that another one calls is a *step*: typed, lowered
and kept. The kernel that Python calls is an *entry*: all steps below it are linked into
it once, as functions nobody else sees, and optimised and emitted together.

Numba lets a function name the class of its compiler; what that fills, a library of code, is a
private part of numba. `tests/unit/test_linking.py` holds it to what is relied on here.
"""

import inspect
from typing import Any, Final

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

RELIED_ON: Final = (
    "_ensure_finalized", "_get_module_for_linking", "_optimize_final_module",
    "_optimize_functions", "_raise_if_finalized", "enable_object_caching",
    "get_defined_functions",
)  # fmt: skip
"""Private and other parts of numba's library of code that are called or replaced here."""


def is_possible() -> bool:
    """Return whether numba has all that is relied on here."""
    taken = list(inspect.signature(Compiler.__init__).parameters)[1:4]
    has_parts = all(hasattr(JITCodeLibrary, name) for name in RELIED_ON)
    return has_parts and taken == ["typingctx", "targetctx", "library"]


class StepLibrary(JITCodeLibrary):
    """The code of one kernel that others call, never emitted; function passes alone saw it."""

    @property
    def codegen(self) -> Any:
        """The code generator, for which a step has no environment: it is in no executable."""
        return _WithoutEnvironments(self._codegen)

    def finalize(self) -> None:
        """Take no more code."""
        self._raise_if_finalized()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002
        """Return 0: Python can't call a step."""
        self._ensure_finalized()
        return 0

    def _get_module_for_linking(self) -> Any:
        self._ensure_finalized()
        return self._final_module


class EntryLibrary(JITCodeLibrary):
    """The code of one kernel that Python calls, with that of all steps below it."""

    def finalize(self) -> None:
        """Link the steps, and optimise and emit everything together."""
        self._linking_libraries = _callers_first(self)
        super().finalize()

    def _optimize_functions(self, ll_module: Any) -> None:
        # What unpacks Python objects is optimised with the rest, which is soon enough.
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        for library in self._linking_libraries:
            if isinstance(library, StepLibrary):
                for function in library.get_defined_functions():
                    # What nobody else sees loses arguments that it does not use, and its body
                    # once it is inlined at its only call.
                    self._final_module.get_function(function.name).linkage = "internal"
        super()._optimize_final_module()


def _callers_first(entry: EntryLibrary) -> list[Any]:
    """Return all libraries that an entry needs, each after those that call it.

    LLVM links a function that may be dropped only where somebody calls it already.
    """
    order: list[Any] = []
    seen: set[Any] = set()

    def visit(library: Any) -> None:
        if library in seen:
            return
        seen.add(library)
        if library is entry or isinstance(library, StepLibrary):
            for needed in library._linking_libraries:
                visit(needed)
        order.append(library)

    visit(entry)
    return order[-2::-1]


class _WithoutEnvironments:
    """A code generator that sets no environment of a function."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def set_env(self, env_name: str, env: Any) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)


class StepCompiler(Compiler):
    """Numba's compiler, which fills the library of a step."""

    library_class: type = StepLibrary

    def __init__(self, typing: Any, target: Any, library: Any, *rest: Any) -> None:
        if library is None:
            library = self.library_class(target.codegen(), type(self).__name__)
            library.enable_object_caching()
        super().__init__(typing, target, library, *rest)


class EntryCompiler(StepCompiler):
    """Numba's compiler, which fills the library of an entry."""

    library_class = EntryLibrary
