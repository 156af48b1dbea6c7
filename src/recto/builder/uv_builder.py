"""Builds with uv: a lock to an environment, layered over the base, with the bytecode that is kept, and proven."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from recto.builder.base import Built, Order
from recto.builder.commands import Commands, no_failpoint
from recto.builder.installing import Installed
from recto.builder.kernelspec import write_kernelspec
from recto.builder.layer import write_layer
from recto.builder.proof import NEEDED, check_interpreter, prove
from recto.builder.starts import Start
from recto.builder.without_pip import write_pip_answer
from recto.builder.workbench import Workbench
from recto.interpreters import missing_render_stack
from recto.problems import BaseError, BuildError, problem, size
from recto.progress import Event, Progress

# The steps of a build, in order: where a test may kill the process to see what is left.
FAILPOINTS = ("venv-made", "installed", "kernelspec-written", "proven")


class UvBuilder:
    """The builder that runs uv."""

    def __init__(self, workbench: Workbench, failpoint: Callable[[str], None] = no_failpoint) -> None:
        self._workbench = workbench
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
        self._workbench.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=directory.parent) as scratch:
            commands = Commands(self._workbench.sandbox, order.base, Path(scratch), order.seconds_max, cancelled)
            return self._build(order, directory, commands, progress)

    def _build(self, order: Order, directory: Path, commands: Commands, progress: Progress) -> Built:
        def prepare() -> None:
            self._workbench.tool.make_environment(directory, commands)
            write_layer(order.base, directory)
            self._failpoint("venv-made")

        installed = self._workbench.installer.install(order, directory, commands, progress, prepare)
        self._failpoint("installed")
        _check_size(order, installed, commands)
        write_pip_answer(directory)
        write_kernelspec(directory)
        self._failpoint("kernelspec-written")
        start = self._workbench.kept_starts.known(order.base)
        proof = _proven(start, installed, directory, commands, progress)
        self._failpoint("proven")
        return Built(
            installed_bytes=installed.bytes,
            modules={name: inventory.modules for name, inventory in installed.inventories.items()},
            log=commands.log,
            unfinished={name: key.digest for name, key in installed.unfinished.items()},
            unwatched=start is None,
            new_bytes=installed.new_bytes,
            proof=proof,
        )


def _proven(start: Start | None, installed: Installed, directory: Path, commands: Commands, progress: Progress) -> str:
    """How the environment was proven, in words; raises BuildError where it does not hold."""
    touched = ("no start was watched over this base yet",) if start is None else start.touched(installed.inventories)
    if touched:
        progress(Event("proving", "starting a kernel"))
        commands.note(f"A kernel is started to see that it works: {'; '.join(touched[:3])}.")
        prove(commands, directory)
        return "a kernel was started in it"
    progress(Event("proving", "starting its interpreter"))
    check_interpreter(commands, directory)
    return "its interpreter was started, and it has nothing that starting a kernel looks for"


def _check_size(order: Order, installed: Installed, commands: Commands) -> None:
    if installed.bytes > order.installed_bytes_max:
        most = size(order.installed_bytes_max)
        raise BuildError(problem("cap-installed", amount=size(installed.bytes), most=most), commands.log)
