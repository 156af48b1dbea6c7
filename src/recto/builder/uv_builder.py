"""Builds with uv: a lock to an environment, layered over the base, with the bytecode that is kept, and proven."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from recto.aside import Aside
from recto.builder.base import Built, Order, settle_nothing
from recto.builder.commands import Commands, no_failpoint
from recto.builder.fonts import keep_fonts
from recto.builder.installing import Installed
from recto.builder.kernelspec import write_kernelspec
from recto.builder.layer import write_layer
from recto.builder.proof import KERNEL_SECONDS, NEEDED, check_interpreter, prove, watch
from recto.builder.starts import Start
from recto.builder.without_pip import write_pip_answer
from recto.builder.workbench import Workbench
from recto.interpreters import Base, missing_render_stack
from recto.problems import BaseError, BuildError, problem, size
from recto.progress import Event, Progress
from recto.sandbox.temporary import temporary

# The steps of a build, in order: where a test may kill the process to see what is left.
FAILPOINTS = ("venv-made", "installed", "kernelspec-written", "proven")


class UvBuilder:
    """The builder that runs uv."""

    def __init__(self, workbench: Workbench, failpoint: Callable[[str], None] = no_failpoint) -> None:
        self._workbench = workbench
        self._failpoint = failpoint

    def prepare(self, base: Base, cancelled: Callable[[], bool] | None = None) -> None:
        """As the port says: a start of a kernel is watched over a base where none was, and fonts are listed."""
        with temporary() as scratch:
            commands = Commands(self._workbench.sandbox, base, scratch, KERNEL_SECONDS, cancelled)
            if self._workbench.kept_starts.known(base) is None:
                self._watched(commands)
            keep_fonts(commands, self._workbench.fonts)

    def build(
        self,
        order: Order,
        directory: Path,
        progress: Progress,
        cancelled: Callable[[], bool] | None = None,
        settled: Callable[[], object] = settle_nothing,
    ) -> Built:
        """As the port says. A scratch directory stands beside `directory` while this runs."""
        missing = missing_render_stack(order.base, [name for name in NEEDED if name not in order.install])
        if missing:
            raise BaseError(problem("base-lacks-kernel", names=" ".join(missing), python=order.base.python))
        self._workbench.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=directory.parent) as scratch:
            commands = Commands(
                self._workbench.sandbox,
                order.base,
                Path(scratch),
                order.seconds_max,
                cancelled,
                disk_bytes_max=self._workbench.disk_bytes_max,
            )
            return self._build(order, directory, commands, progress, settled)

    def _build(
        self,
        order: Order,
        directory: Path,
        commands: Commands,
        progress: Progress,
        settled: Callable[[], object],
    ) -> Built:
        def prepare() -> None:
            self._workbench.tool.make_environment(directory, commands)
            write_layer(order.base, directory)
            self._failpoint("venv-made")

        made = self._workbench.sources.made(order, commands, progress)
        order = replace(made.order, built=tuple(sorted(made.names)))
        # Beside the download, for the first build over a base: a kernel takes more than a second to start.
        with Aside(lambda: self._watched(commands)) as watching:
            installed = self._workbench.installer.install(order, directory, commands, progress, prepare)
        start = watching.result()
        self._failpoint("installed")
        _check_size(order, installed, commands)
        write_pip_answer(directory)
        write_kernelspec(directory)
        self._failpoint("kernelspec-written")
        proof = _proven(start, installed, directory, commands, progress, settled)
        self._failpoint("proven")
        return Built(
            installed_bytes=installed.bytes,
            modules={name: inventory.modules for name, inventory in installed.inventories.items()},
            log=commands.log,
            unfinished={name: key.digest for name, key in installed.unfinished.items()},
            new_bytes=installed.new_bytes + made.new_bytes,
            proof=proof,
        )

    def _watched(self, commands: Commands) -> Start | None:
        """How kernels start over the base; None where that could not be seen, and one must be started for the proof."""
        starts = self._workbench.kept_starts
        start = starts.known(commands.base)
        if start is not None:
            return start
        scratch = commands.scratch / "watched"
        scratch.mkdir()
        try:
            start = watch(Commands(commands.sandbox, commands.base, scratch, commands.seconds_max, commands.cancelled))
        except BuildError as error:
            commands.note(f"No start of a kernel could be watched over the base: {error}")
            return None
        starts.keep(commands.base, start)
        return start


def _proven(
    start: Start | None,
    installed: Installed,
    directory: Path,
    commands: Commands,
    progress: Progress,
    settled: Callable[[], object],
) -> str:
    """How the environment was proven, in words; raises BuildError where it does not hold."""
    touched = ("no start could be watched over this base",) if start is None else start.touched(installed.inventories)
    if touched:
        progress(Event("proving", "starting a kernel"))
        commands.note(f"A kernel is started to see that it works: {'; '.join(touched[:3])}.")
        prove(commands, directory)
        settled()
        return "a kernel was started in it"
    progress(Event("proving", "starting its interpreter"))
    # Beside its start, at which nothing of the environment runs that could write.
    with Aside(settled) as settling:
        check_interpreter(commands, directory)
    settling.result()
    return "its interpreter was started, and it has nothing that starting a kernel looks for"


def _check_size(order: Order, installed: Installed, commands: Commands) -> None:
    if installed.bytes > order.installed_bytes_max:
        most = size(order.installed_bytes_max)
        raise BuildError(problem("cap-installed", amount=size(installed.bytes), most=most), commands.log)
