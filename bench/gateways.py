"""Rows about the index gateway: an installer that asks it, and one that asks the index itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.house import House, gone
from bench.results import Also, Bar, Peer, Result, Row
from bench.timing import Contender, Sample, in_turns, process

PACKAGES = ("polars", "duckdb", "statsmodels", "networkx", "great-tables")
FEW = ("networkx", "great-tables", "duckdb")
DIRECT = "uv straight to the index"
_AT_ONCE = 8
_RESIDENT_BYTES = 200e6


def gateway(house: House) -> list[Result]:
    """uv with an empty cache through a gateway that has nothing, then everything; and the memory that it has then."""
    scratch = house.root / "gateway"
    gone(scratch)
    scratch.mkdir()
    with ExitStack() as stack:
        bench = _Bench(house, scratch, _Lodge(house, scratch / "data", stack))
        rows: list[Result] = [bench.new(), bench.compiled(), bench.installed(), bench.crowd(), bench.memory()]
    gone(scratch)
    return rows


@dataclass(frozen=True, slots=True)
class Serving:
    """A gateway that serves, as a process of its own."""

    pid: int
    url: str

    def processor_seconds(self) -> float:
        """What it took of the processors so far, proc(5): in user mode and in the kernel."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def bytes(self, name: str) -> float:
        """An amount of memory: `VmRSS` now, `VmHWM` at most so far."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{name}:"))
        return float(line.split()[1]) * 1024


@contextmanager
def serving(house: House, data: Path) -> Iterator[Serving]:
    """`recto gateway` over the index that uv asks by itself, with what `data` has of it."""
    variables = {**house.variables, "RECTO_DATA_DIR": str(data), "RECTO_INDEX_URL": house.index_url}
    argv = [str(house.recto), "gateway", "--port", "0"]
    with subprocess.Popen(argv, env=variables, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        said = running.stderr.readline()
        _, at, rest = said.partition(" at http://")
        try:
            if not at:
                raise RuntimeError(f"the gateway does not start: {said}{running.stderr.read()}")
            yield Serving(running.pid, f"http://{rest.partition(';')[0]}")
        finally:
            running.send_signal(signal.SIGINT)


@dataclass(slots=True)
class _Lodge:
    """Where one gateway lives; a new one takes the place of the old."""

    house: House
    data: Path
    stack: ExitStack
    _serving: Serving | None = None

    def renew(self) -> None:
        """A gateway that knows nothing."""
        self.stack.close()
        gone(self.data)
        self._serving = self.stack.enter_context(serving(self.house, self.data))

    @property
    def serving(self) -> Serving:
        """The gateway that serves now."""
        if self._serving is None:
            self.renew()
        assert self._serving is not None
        return self._serving


@dataclass(frozen=True, slots=True)
class _Bench:
    """The installer's errands, each with empty caches."""

    house: House
    scratch: Path
    lodge: _Lodge
    _taken: list[float] = field(default_factory=list)

    def new(self) -> Row:
        """The first errand of a gateway's life."""

        def both(url: str, caches: Path) -> None:
            self._compile(url, caches)
            self._install(url, caches)

        def renewed() -> None:
            self._empty()
            self.lodge.renew()

        acts = self._acts(both)
        acts["ours"] = Contender(acts["ours"].act, renewed)
        samples = in_turns(self.house.times(3), acts, settle=True)
        what = "`uv pip compile` and `uv pip install` with an empty cache, through a gateway that is as new"
        return self._row("gateway-new", what, samples, Bar("within", 2.5))

    def compiled(self) -> Row:
        """A resolution of what the gateway has seen."""
        samples = self._measured(15, self._acts(self._compile))
        what = "`uv pip compile` with an empty cache, through a gateway that has seen it"
        return self._row("gateway", what, samples, Bar("faster", 1))

    def installed(self) -> Row:
        """An installation of what the gateway has."""
        samples = self._measured(5, self._acts(self._install))
        return self._row("gateway-install", "`uv pip install` of that with an empty cache", samples)

    def crowd(self) -> Row:
        """Several installers at once, each with a cache of its own."""
        samples = self._measured(5, self._acts(self._eight))
        what = f"{_AT_ONCE} `uv pip install` at once, each with an empty cache, through a gateway that has it all"
        return self._row("gateway-eight", what, samples, Bar("faster", 1))

    def memory(self) -> Row:
        """What the gateway holds after all that."""
        now, most = (Sample((self.lodge.serving.bytes(name),), "bytes") for name in ("VmRSS", "VmHWM"))
        what = "memory of the gateway after all that"
        return Row(
            "gateway-memory", what, now, {}, Bar("below", _RESIDENT_BYTES), {"the most that it ever held": Also(most)}
        )

    def _measured(self, times: int, acts: dict[str, Contender]) -> dict[str, Sample]:
        in_turns(1, acts)
        self._taken.clear()
        return in_turns(self.house.times(times), acts, settle=True)

    def _acts(self, errand: Callable[[str, Path], object]) -> dict[str, Contender]:
        caches = self.scratch / "caches"

        def ours() -> None:
            serving = self.lodge.serving
            before = serving.processor_seconds()
            errand(serving.url, caches)
            self._taken.append(serving.processor_seconds() - before)

        direct = Contender(lambda: errand(self.house.index_url, caches), self._empty)
        return {"ours": Contender(ours, self._empty), DIRECT: direct}

    def _row(self, name: str, what: str, samples: dict[str, Sample], bar: Bar | None = None) -> Row:
        also = {"of the processor, the gateway": Also(Sample(tuple(self._taken)))}
        self._taken.clear()
        return Row(name, what, samples["ours"], {DIRECT: Peer(samples[DIRECT], bar)}, also=also)

    def _empty(self) -> None:
        gone(self.scratch / "caches")
        gone(self.scratch / "sites")

    def _compile(self, url: str, caches: Path) -> None:
        declared = self.scratch / "requirements.in"
        declared.write_text("".join(f"{name}\n" for name in PACKAGES))
        pins = ("--generate-hashes", "--output-file", self.scratch / "requirements.txt", declared)
        self._uv("compile", url, caches / "one", "--quiet", *pins)

    def _install(self, url: str, caches: Path) -> None:
        pins = ("--require-hashes", "--requirement", self.scratch / "requirements.txt")
        self._uv("install", url, caches / "one", "--target", self.scratch / "sites" / "one", *pins)

    def _eight(self, url: str, caches: Path) -> None:
        def one(number: int) -> None:
            site = self.scratch / "sites" / str(number)
            self._uv("install", url, caches / str(number), "--target", site, *FEW)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(one, range(_AT_ONCE)))

    def _uv(self, verb: str, url: str, cache: Path, *more: object) -> None:
        options = ("--no-config", "--no-build", "--default-index", url, "--cache-dir", cache)
        python = ("--python", self.house.app.base().python)
        process([self.house.app.uv, "pip", verb, *options, *python, *more], self.house.variables)
