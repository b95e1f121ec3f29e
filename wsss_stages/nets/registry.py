"""Registries of entries by name, each registered by a decorator in a module of its own, so that a new one is one file."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """The entries that a package's modules register; the modules are imported when the first name is looked up."""

    def __init__(self, package: str):
        self._package, self._found, self._complete = package, {}, False

    def register(self, *names: str) -> Callable[[T], T]:
        """Return a decorator that registers a class or a function under names. Raises ValueError for a name that is taken."""
        return lambda made: self._register(names, made)

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all()))

    def __len__(self) -> int:
        return len(self._all())

    def _register(self, names: tuple[str, ...], made: T) -> T:
        for name in names:
            if name in self._found:
                raise ValueError(
                    f"{self._package}: found {name!r} a second time; wanted names that differ. Rename one."
                )
            self._found[name] = made
        return made

    def _all(self) -> dict[str, T]:
        if not self._complete:
            for module in iter_modules(import_module(self._package).__path__):
                import_module(f"{self._package}.{module.name}")
            self._complete = True
        return self._found
