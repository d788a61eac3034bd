"""The one decorator that owns every numba option of a kernel.

Nothing is compiled at import: a kernel compiles at its first call and is then read from a cache
folder named by a hash of all kernel sources, because numba does not notice a change in another
module.
"""

import hashlib
import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
from numba import config
from numba.core.cpu import CPUTargetOptions

Function = TypeVar("Function", bound=Callable[..., Any])

_HERE = Path(__file__).resolve().parent
_CACHE_PARENT = _HERE.parent / "__pycache__"


@overload
def kernel(function: Function) -> Function: ...
@overload
def kernel(*, inline: str) -> Callable[[Function], Function]: ...
def kernel(function: Any = None, *, inline: str = "never") -> Any:
    """Compile a function with the house's options, when it is first called.

    Neither ``fastmath`` nor ``parallel`` is ever used, so that sums have one order and the same
    input gives the same bytes. Signatures are lazy: the Python caller copies its arrays to one
    fixed type at the border, so that every kernel has exactly one. Kernels allocate nothing:
    their results are arrays that the caller hands in.

    Parameters
    ----------
    function : callable
        A function on numpy arrays and numbers.
    inline : {"never", "always", "llvm"}
        For the small steps of a hot loop, whose arguments would otherwise be copied at every call.
        ``"always"`` puts the source into its only caller; ``"llvm"`` compiles a step that several
        call, or that is long, once, and inlines what came of it: numba takes longer than linearly
        for a long function, and again for every copy.
    """
    if function is None:
        return lambda body: kernel(body, inline=inline)
    if inline == "always":
        return _compiled(function, inline="always")
    if inline == "llvm":
        return _compiled(function, forceinline=True)
    folder = cache_folder()
    if folder is None:
        return _compiled(function)
    previous = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        return _lenient(_compiled(function, cache=True))
    except RuntimeError:  # numba found no writable place: compile in every process
        return _compiled(function)
    finally:
        config.CACHE_DIR = previous


def _compiled(function: Any, **options: Any) -> Any:
    """Compile for callers in Python, and once more, as a step, for other kernels (see `linking`).

    Without reference counts, which a kernel that allocates nothing does not need: numba counts
    references to every array that a function takes from a tuple or an argument, atomically; in the
    engine's loop that is three quarters of the time. ``forceinline`` is said wherever it does not
    hold too, because a kernel inherits it from whichever caller it is compiled for first.
    """
    private = {"forceinline": False, "_nrt": False, "no_cfunc_wrapper": True}
    options = {name: value for name, value in private.items() if is_known(name)} | options
    linked = compilers()
    if linked is None:
        return numba.njit(function, **options)
    entry_compiler, step_compiler = linked
    entry = numba.njit(function, pipeline_class=entry_compiler, **options)
    if hasattr(entry, "get_call_template"):  # else NUMBA_DISABLE_JIT
        options.pop("cache", None)
        wrapped = {"no_cpython_wrapper": True} if is_known("no_cpython_wrapper") else {}
        step = numba.njit(function, pipeline_class=step_compiler, **wrapped, **options)
        entry.get_call_template = step.get_call_template
        entry.get_overload = step.get_overload
    return entry


def is_known(option: str) -> bool:
    """Return whether this numba knows an option of its private ones."""
    return hasattr(CPUTargetOptions, option)


@cache
def compilers() -> tuple[Any, Any] | None:
    """Return the compilers of entries and of steps; None where numba lacks what they rely on.

    Then every kernel is compiled as numba does it: the same results, after a longer wait.
    """
    try:
        from simulator.kernels import linking
    except ImportError:
        return None
    return (linking.EntryCompiler, linking.StepCompiler) if linking.is_possible() else None


listeners: list[Callable[[str], None]] = []
"""Told the name of a kernel that is in no cache, before it is compiled."""


def _lenient(dispatcher: Any) -> Any:
    """Go without the cache where it can't be read or written, e.g. on a full disk."""
    store = getattr(dispatcher, "_cache", None)
    for name in ("load_overload", "save_overload"):
        action = getattr(store, name, None)
        if action is not None:
            setattr(store, name, _or_nothing(action))
    if store is not None:
        store.load_overload = _telling(store.load_overload, dispatcher.py_func.__name__)
    return dispatcher


def _telling(load: Callable[..., Any], name: str) -> Callable[..., Any]:
    def attempt(*arguments: Any) -> Any:
        found = load(*arguments)
        if found is None:
            for tell in listeners:
                tell(name)
        return found

    return attempt


def _or_nothing(action: Callable[..., Any]) -> Callable[..., Any]:
    def attempt(*arguments: Any) -> Any:
        try:
            return action(*arguments)
        except (OSError, EOFError, pickle.UnpicklingError):
            return None

    return attempt


def entry_of(compiled: Any, *arguments: Any) -> Callable[..., Any]:
    """Return a kernel's compiled code for arguments of these types, for a caller in Python.

    At each call of the kernel itself numba looks up the type of every array of every tuple, which
    takes ten times as long as handing them over. Other types than these must not be given.
    """
    if not hasattr(compiled, "overloads"):  # NUMBA_DISABLE_JIT
        return compiled
    signature = tuple(numba.typeof(argument) for argument in arguments)
    compiled.compile(signature)
    return compiled.overloads[signature].entry_point


@cache
def source_hash() -> str:
    """Return 12 hex digits that change with any kernel source or the numba version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(_HERE.glob("*.py")):
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


@cache
def cache_folder() -> Path | None:
    """Return where compiled kernels are kept, or None where nothing can be written.

    The folder that ``NUMBA_CACHE_DIR`` names; else one in the package's own ``__pycache__``;
    else, for an installation that is read-only, one in the user's cache folder.
    """
    name = f"kernels-{source_hash()}"
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR) / name
    for parent in (_CACHE_PARENT, _user_cache()):
        if parent is not None and _writable(parent):
            return parent / name
    return None


def is_warm() -> bool:
    """Return whether compiled kernels of this version are in the cache already."""
    folder = cache_folder()
    try:
        return folder is not None and any(folder.rglob("*advance*.nbc"))
    except OSError:
        return False


def _user_cache() -> Path | None:
    chosen = os.environ.get("XDG_CACHE_HOME")
    if chosen:
        return Path(chosen) / "fleetsim"
    try:
        return Path.home() / ".cache" / "fleetsim"
    except RuntimeError:
        return None


def _writable(folder: Path) -> bool:
    """Return whether files can be made in `folder`, which may not exist yet."""
    # os.path.exists, unlike Path.exists, says no where a parent may not be entered.
    places = (folder, *folder.parents)
    existing = next(place for place in places if os.path.exists(place))  # noqa: PTH110
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
