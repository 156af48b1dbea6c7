"""Builds with uv: a lock to an environment, layered over the base, compiled and proven."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from recto.builder.base import Built, Order
from recto.builder.bytecode import compile_packages
from recto.builder.commands import Commands, no_failpoint
from recto.builder.kernelspec import write_kernelspec
from recto.builder.layer import site_packages, write_layer
from recto.builder.modules import installed_modules
from recto.builder.proof import NEEDED, prove
from recto.builder.uv import Uv
from recto.builder.without_pip import write_pip_answer
from recto.interpreters import missing_render_stack
from recto.problems import BaseError, BuildError, problem, size
from recto.progress import Event, Progress
from recto.sandbox.base import Sandbox

# The steps of a build, in order: where a test may kill the process to see what is left.
FAILPOINTS = ("venv-made", "installed", "kernelspec-written", "compiled", "proven")


class UvBuilder:
    """The builder that runs uv.

    `cache` is uv's cache, on the volume of the environments, so that files are linked. `environment` and `index_url`
    are those of Uv.
    """

    def __init__(
        self,
        uv: Path,
        cache: Path,
        sandbox: Sandbox,
        environment: Mapping[str, str],
        index_url: str | None = None,
        failpoint: Callable[[str], None] = no_failpoint,
    ) -> None:
        self._uv = Uv(uv, cache, environment, index_url)
        self._cache = cache
        self._sandbox = sandbox
        self._failpoint = failpoint

    def build(
        self,
        order: Order,
        directory: Path,
        progress: Progress,
        cancelled: Callable[[], bool] | None = None,
    ) -> Built:
        """As the port says. A scratch directory stands beside `directory` while this runs."""
        missing = missing_render_stack(order.base, [name for name in NEEDED if name not in order.install])
        if missing:
            raise BaseError(problem("base-lacks-kernel", names=" ".join(missing), python=order.base.python))
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=directory.parent) as scratch:
            commands = Commands(self._sandbox, order.base, Path(scratch), order.seconds_max, cancelled)
            return self._build(order, directory, commands, progress)

    def _build(self, order: Order, directory: Path, commands: Commands, progress: Progress) -> Built:
        self._uv.make_environment(directory, commands)
        write_layer(order.base, directory)
        self._failpoint("venv-made")
        self._uv.install(order, directory, commands, progress)
        self._failpoint("installed")
        _check_size(order, directory, commands)
        modules = installed_modules(site_packages(directory))
        write_pip_answer(directory)
        write_kernelspec(directory)
        self._failpoint("kernelspec-written")
        progress(Event("installing", "compiling bytecode"))
        compile_packages(commands, directory)
        self._failpoint("compiled")
        progress(Event("proving", "starting a kernel"))
        prove(commands, directory)
        self._failpoint("proven")
        return Built(tree_bytes(directory), modules, commands.log)


def tree_bytes(directory: Path) -> int:
    """The bytes of the regular files of a tree, each file counted once however many links to it there are."""
    sizes: dict[int, int] = {}
    for parent, _, names in os.walk(directory):
        for name in names:
            status = Path(parent, name).lstat()
            if stat.S_ISREG(status.st_mode):
                sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


def _check_size(order: Order, directory: Path, commands: Commands) -> None:
    taken = tree_bytes(directory)
    if taken > order.installed_bytes_max:
        most = size(order.installed_bytes_max)
        raise BuildError(problem("cap-installed", amount=size(taken), most=most), commands.log)
