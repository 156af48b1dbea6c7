"""The only place where objects are made and joined."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from recto.settings import Settings, load

if TYPE_CHECKING:
    from recto.builder.base import Builder
    from recto.builder.curated import BaseBuilder
    from recto.builder.workbench import Workbench
    from recto.engines.base import Engine
    from recto.engines.jupyter.pool import Pool
    from recto.environments import Environments
    from recto.environments.finishing import Finishing
    from recto.environments.providers import Providers
    from recto.index.audit import Audit
    from recto.index.rules.current import CurrentRules
    from recto.index.serving import Options as GatewayOptions
    from recto.interpreters import Base, Interpreters
    from recto.policy import Grant, Policy
    from recto.recall.question import Question
    from recto.render import Renders
    from recto.render.head_start import HeadStart
    from recto.render.options import Options as RenderOptions
    from recto.resolver.base import Resolver
    from recto.sandbox.base import Sandbox
    from recto.sandbox.door.access import Access
    from recto.store import Store
    from recto.store.layout import Layout


class App:
    """Everything that the doors use, made when it is first asked for.

    A process that renders again and again uses it as a context manager: within, kernels are kept warm where the
    settings ask for it, and none is left at its end. Everything else works without.

    Rooms are imported with what is made of them: a head start is begun before most of them are there.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = load() if settings is None else settings
        self._ahead: HeadStart | None = None

    def __enter__(self) -> Self:
        if self.kernels is not None:
            self.kernels.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends what runs in the background; a second time does nothing."""
        if self.kernels is not None:
            self.kernels.close()

    @cached_property
    def store(self) -> Store:
        """The store in the data directory, which is made if it is not there."""
        from recto.store import Options, Store

        options = Options(budget_bytes=self.settings.budget, free_floor_bytes=self.settings.free_floor)
        return Store.open(self.settings.data_dir, options, failpoint=self.failpoint, sweepers=(self._sweep,))

    def _sweep(self) -> int:
        from recto.builder.bytecode import Bytecode
        from recto.builder.sources import sweep_built
        from recto.builder.wheels import sweep_wheels

        # Compiled files first: both go when no environment has the distribution any more.
        return Bytecode(self.store.bytecode).sweep() + sweep_wheels(self.wheels) + sweep_built(self._built)

    def sweep_temporary(self) -> int:
        """How many directories that killed commands left in the temporary directory are gone now."""
        from recto.sandbox.temporary import sweep

        own = os.geteuid()
        return sweep({own, self.settings.sandbox_uid} if own == 0 else {own})

    @property
    def _layout(self) -> Layout:
        """Where things lie in the store, whether there is a store or not."""
        from recto.store.layout import Layout

        return Layout.of(self.settings.data_dir)

    @property
    def audit_directory(self) -> Path:
        """Where the audit log of the gateway lies, whether there is one or not."""
        return self._layout.audit

    @cached_property
    def audit(self) -> Audit:
        """What records the answers of the gateway; nothing does where the operator turned that off."""
        from recto.index import audit

        settings = self.settings
        if not settings.audit:
            return audit.NoAudit()
        options = audit.Options(settings.audit_bytes, settings.audit_days, settings.audit_kept)
        return audit.AuditLog(self.audit_directory, options)

    @property
    def gateway_options(self) -> GatewayOptions:
        """What the gateway is made of; raises SettingsError."""
        from recto.index.credentials import upstreams
        from recto.index.serving import Options

        settings = self.settings
        urls = settings.gateway_indexes or tuple(filter(None, (self._index_url,)))
        if not urls:
            from recto.problems import SettingsError, problem

            raise SettingsError(problem("gateway-without-index"))
        directory = self.store.cache / "gateway"
        return Options(directory, upstreams(urls, settings.path), settings.gateway_bytes, settings.page_seconds)

    @property
    def gateway_rules(self) -> CurrentRules:
        """The operator's rules about packages; raises SettingsError."""
        from recto.index.rules.configuration import read_choices
        from recto.index.rules.current import CurrentRules

        file, folder = self.settings.gateway_rules, self.settings.gateway_advisories
        try:
            data = b"" if file is None else file.read_bytes()
        except OSError as error:
            from recto.problems import SettingsError, problem

            reason = error.strerror or str(error)
            raise SettingsError(problem("gateway-rules-unreadable", file=file, reason=reason)) from error
        choices = read_choices(data, str(file), with_advisories=folder is not None)
        return CurrentRules(choices, folder)

    @property
    def _index_url(self) -> str | None:
        """The address of the index: that of the setting, else what the installer's configuration says."""
        from recto.resolver.index_pages import default_index

        # Before there is a base, for one is made with the installer: any interpreter does.
        python = self.interpreters.probe(self.python)
        return self.settings.index_url or default_index(self.uv, python, self.wheels, self.sandbox)

    @property
    def wheels(self) -> Path:
        """The cache of the installer."""
        return self.store.cache / "uv"

    @property
    def _built(self) -> Path:
        """Where wheels are kept that were built from source."""
        return self.store.cache / "built"

    @property
    def runs(self) -> Path:
        """Where it is kept what commands were answered."""
        return self._layout.cache / "runs"

    def question(self, path: Path, command: str) -> Question | None:
        """What a command asks about this path; None where its answer is not kept in this data directory."""
        from recto.recall.question import question
        from recto.settings import child_environment

        asked = question(str(path), child_environment(), command)
        return asked if asked is not None and Path(asked.memo).parent == self.runs else None

    @cached_property
    def sandbox(self) -> Sandbox:
        """What contains the commands that are run."""
        settings = self.settings
        if settings.sandbox == "none":
            from recto.sandbox.none import NoSandbox

            return NoSandbox()
        from recto.sandbox.base import Limits
        from recto.sandbox.identity import Identity
        from recto.sandbox.limits.keeping import Limiter

        limits = Limits(
            memory_bytes=settings.sandbox_memory,
            processes=settings.sandbox_processes,
            cpus=settings.sandbox_cpus,
            open_files=settings.sandbox_open_files,
            file_bytes=settings.sandbox_file,
            scratch_bytes=settings.sandbox_scratch,
        )
        identity, limiter = Identity.here(settings.sandbox_uid), Limiter(settings.free_floor)
        if settings.sandbox == "landlock":
            from recto.sandbox.landlock import Landlock

            return Landlock(
                identity,
                limits=limits,
                shown=settings.sandbox_show,
                limiter=limiter,
                hidden=self._own,
                home=self._home,
            )
        from recto.sandbox.bubblewrap import Bubblewrap
        from recto.sandbox.door.leading import Leading

        leading = Leading(self._access, settings.network)
        return Bubblewrap(limits, identity, settings.sandbox_show, leading, limiter, hidden=self._own, home=self._home)

    @property
    def _home(self) -> Path | None:
        """The home of our own user; None for one that has none, as in a container."""
        home = Path(os.path.expanduser("~"))  # noqa: PTH111 - the other raises where there is none
        return home if home.is_absolute() else None

    @property
    def _own(self) -> tuple[Path, ...]:
        """Directories that no document may write to, wherever they lie: what is in them is run or believed later."""
        layout = self._layout
        data = (self.settings.data_dir, layout.root, layout.environments, layout.staging)
        file = self.settings.file
        # A setting decides which interpreter is run, and in what.
        settings = () if file is None else (file.path.parent,)
        installed, sources = Path(sys.prefix), Path(__file__).parent
        # Elsewhere only where they are being worked on; a base that Recto is installed in shows them.
        return (*data, *settings, installed, *(() if sources.is_relative_to(installed) else (sources,)))

    def _access(self) -> Access:
        """Where contained installers may go."""
        from recto.sandbox.door import hosts
        from recto.sandbox.door.access import Access

        settings, url = self.settings, self._index_url
        if url is None:
            return Access(frozenset())
        return hosts.access(url, self.store.cache / "hosts", settings.network, further=settings.index_hosts)

    @property
    def base_python(self) -> Path:
        """The executable of the base in force, whether it exists or not."""
        return self.settings.base or self.curated_base / "bin" / "python"

    @property
    def curated_base(self) -> Path:
        """Where `recto base build` makes its base."""
        return self.store.base / "curated"

    @cached_property
    def interpreters(self) -> Interpreters:
        """Who interpreters are, remembered in the data directory."""
        from recto.interpreters import Interpreters

        return Interpreters(self.store.cache / "interpreters")

    def base(self) -> Base:
        """The base in force; raises BaseError where there is none or it does not work."""
        return self.interpreters.probe(self.base_python)

    @cached_property
    def uv(self) -> Path:
        """The uv executable of our own installation."""
        from uv import find_uv_bin

        return Path(find_uv_bin())

    @property
    def pandoc(self) -> Path:
        """The pandoc executable of our own installation."""
        from importlib.util import find_spec

        # Found and not imported: pypandoc brings HTTP and TLS, and starts every pandoc of the machine for its version.
        package = find_spec("pypandoc")
        if package is None or package.origin is None:
            raise ModuleNotFoundError("pypandoc_binary is not installed")
        return Path(package.origin).parent / "files" / "pandoc"

    @property
    def base_builder(self) -> BaseBuilder:
        """What makes bases."""
        from recto.builder.curated import BaseBuilder

        return BaseBuilder(self.workbench)

    @property
    def workbench(self) -> Workbench:
        """What builders use."""
        from recto.builder.workbench import Workbench

        return Workbench(
            uv=self.uv,
            cache=self.wheels,
            bytecode=self.store.bytecode,
            starts=self.store.cache / "starts",
            fonts=self._fonts,
            sandbox=self.sandbox,
            environment=self.tool_environment,
            index_url=self.settings.index_url,
            # Wheels in the cache and what is linked from them.
            disk_bytes_max=self._disk_bytes_max,
            built=self._built if self.policy.builds == "trusted" else None,
        )

    @property
    def _disk_bytes_max(self) -> int:
        """What one command of an installer may add to the disk."""
        return self.settings.download_max + self.settings.installed_max

    @property
    def finishing(self) -> Finishing:
        """What gives environments in use the bytecode that they lack."""
        from recto.builder.finishing import BytecodeFinisher
        from recto.environments.finishing import Finishing

        finisher = BytecodeFinisher(self.workbench, self.settings.build_seconds)
        return Finishing(self.store, finisher, self.interpreters.probe)

    def start_finishing(self) -> None:
        """Starts a process that finishes what waits, at low priority, unless one is at it; returns at once.

        It outlives this process, which may be about to become another command.
        """
        import subprocess
        import threading

        from recto.environments.finishing import MUTEX

        if self.store.busy(MUTEX):
            return
        process = subprocess.Popen(
            [sys.executable, "-m", "recto", "env", "finish", "--background"],
            env=self.settings.for_own_process(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        # Waited for by somebody, so that a server that lives long collects no dead children.
        threading.Thread(target=process.wait, daemon=True).start()

    @property
    def python(self) -> Path:
        """The interpreter over which a base is made: the one of the setting, else the one that runs Recto."""
        return self.settings.python or Path(sys.executable)

    @cached_property
    def environments(self) -> Environments:
        """The verb of the product."""
        from recto.builder.late import LateBuilder
        from recto.environments import Environments, Options
        from recto.keys import ContentPolicy
        from recto.resolver.late import LateResolver

        resolver, builder = LateResolver(self._resolver), LateBuilder(self._builder)
        policy = self.policy
        # The default's word is that of all keys so far.
        builds = "wheels-only" if policy.builds == "off" else policy.builds
        options = Options(policy, ContentPolicy(index=self.settings.index_name, builds=builds))
        return Environments(self.store, resolver, builder, self.base, options, self.start_finishing)

    def _resolver(self) -> Resolver:
        from recto.engines.base import RENDER_STACK
        from recto.resolver.compiling import Uv
        from recto.resolver.uv import UvResolver

        settings = self.settings
        uv = Uv(
            self.uv,
            self.wheels,
            self.sandbox,
            self.tool_environment,
            settings.index_url,
            settings.page_seconds,
            disk_bytes_max=self._disk_bytes_max,
        )
        return UvResolver(uv, RENDER_STACK, builds=self.policy.builds == "trusted")

    def _builder(self) -> Builder:
        from recto.builder.uv_builder import UvBuilder

        return UvBuilder(self.workbench, self.failpoint)

    @cached_property
    def policy(self) -> Policy:
        """The operator's rules. At the command line, installing is on unless it was turned off.

        Raises SettingsError where packages may be built from source and nothing would contain that.
        """
        from recto.policy import Policy

        settings = self.settings
        if settings.builds != "off":
            from recto.settings.builds import check_builds

            check_builds(settings)
        return Policy(
            installing=settings.installing is not False,
            packages_max=settings.packages_max,
            download_bytes_max=settings.download_max,
            installed_bytes_max=settings.installed_max,
            resolve_seconds_max=settings.resolve_seconds,
            build_seconds_max=settings.build_seconds,
            last_good=settings.last_good,
            builds=settings.builds,
        )

    @property
    def grant(self) -> Grant:
        """The grant of whoever types at the command line."""
        from recto.policy import Grant

        return Grant.own()

    @property
    def tool_environment(self) -> dict[str, str]:
        """What installers see: the way to the index, and nothing of the user's."""
        return {"PATH": self.settings.path, **self.settings.network}

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        """The engines, in the order in which `auto` tries them."""
        from recto.engines.jupyter import JupyterEngine
        from recto.engines.quarto import QuartoEngine

        return (
            QuartoEngine(self.quarto, self.sandbox),
            JupyterEngine(self.sandbox, self.pandoc, Path(sys.executable), self._ahead or self.kernels),
        )

    @cached_property
    def kernels(self) -> Pool | None:
        """The kernels that are kept warm, if the settings ask for any."""
        if self.settings.warm_kernels == 0:
            return None
        from recto.engines.jupyter.pool import Bounds, Pool

        bounds = Bounds(self.settings.warm_kernels, self.settings.warm_memory, self.settings.warm_seconds)
        return Pool(self.sandbox, bounds)

    @property
    def quarto(self) -> Path | None:
        """The Quarto executable: the one of the setting, else the one on the PATH."""
        import shutil

        if self.settings.quarto is not None:
            return self.settings.quarto
        found = shutil.which("quarto", path=self.settings.path)
        return None if found is None else Path(found)

    @cached_property
    def renders(self) -> Renders:
        """The use case of a render."""
        from recto.render import Renders

        return Renders(self.environments, self.engines, self._render_options, self._providers)

    def _providers(self) -> Providers:
        from recto.environments.providers import Providers

        return Providers(self._layout, self.base())

    @property
    def _render_options(self) -> RenderOptions:
        from recto.render.options import Options

        environment = self.settings.render_environment
        if self.settings.sandbox != "none":
            # One cache of several renders would let each lie to the next; theirs is in their home.
            environment = {name: value for name, value in environment.items() if name != "XDG_CACHE_HOME"}
            return Options(self.settings.render_seconds, environment, self._fonts, self.settings.sandbox_disk)
        # Matplotlib looks through all fonts of the machine where it finds no list of them: seconds in each render.
        shared = {"MPLCONFIGDIR": str(self._layout.cache / "matplotlib")}
        return Options(self.settings.render_seconds, {**shared, **environment})

    @property
    def _fonts(self) -> Path:
        return self._layout.cache / "fonts"

    def head_start(self, document: Path) -> HeadStart:
        """The head start of the one render of this process, which is about to be asked for."""
        from recto.render.head_start import HeadStart

        self._ahead = HeadStart(self.question(document, "render"), self.sandbox, self._render_options)
        return self._ahead

    @property
    def failpoint(self) -> Callable[[str], None]:
        """Does nothing, or kills this process before the step that the setting names."""
        wanted = self.settings.failpoint

        def at(step: str) -> None:
            if step == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

        return at
