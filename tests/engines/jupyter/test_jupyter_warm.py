"""Kernels that were started in advance: each used once, and what they give is what a cold one gives."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pypandoc
import pytest

from recto.app import App
from recto.engines.base import Job, Rendered
from recto.engines.jupyter import JupyterEngine
from recto.engines.jupyter.pool import Bounds, Pool
from recto.interpreters import Base
from recto.progress import Event, silent
from recto.render import RenderRequest
from recto.sandbox.none import NoSandbox
from recto.settings import Settings

pytest_plugins = ("jupyter_fixtures",)

pytestmark = pytest.mark.network

PID = "```{python}\nimport os\nprint('pid', os.getpid())\n```\n"
# What a kernel is surrounded by, apart from its private directory.
SURROUNDINGS = """```{python}
import os, sys
own = os.path.dirname(os.environ["HOME"])
hidden = ("JPY_", "RECTO_RUN")
print({k: v.replace(own, "OWN") for k, v in sorted(os.environ.items()) if not k.startswith(hidden)})
print(sys.path, sys.prefix, sys.flags, len(sys.argv))
print(os.getcwd(), _dh, get_ipython().starting_dir, get_ipython().execution_count, In, Out)
print(get_ipython().config.InlineBackend, sorted(sys.modules))
print(sorted(set(dir()) - {"own"}), os.path.isdir(os.environ["TMPDIR"]))
```

```{python}
import beside
beside.name
```
"""
MATPLOTLIB = """```{python}
#| fig-width: 3
import matplotlib.pyplot as plt
print(plt.rcParams)
```
"""
TEXTS = {
    "surroundings": SURROUNDINGS,
    "size": MATPLOTLIB,
    "streams": "```{python}\nimport sys\nprint(1)\nprint(2, file=sys.stderr)\n3\n```\n\n`{python} 1 + 1`\n",
    "own-error": "Text\n\n```{python}\nx = 1\nx / 0\n```\n",
    "inline-error": "`{python} nothing`\n",
    "missing": "```{python}\nimport polars\n```\n",
    "timeout": "---\nexecute:\n  timeout: 1\n---\n```{python}\nwhile True: pass\n```\n",
    "kernel-killed": "```{python}\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n```\n",
    "inline-kernel-killed": "`{python} __import__('os')._exit(3)`\n",
    "runner-killed": "```{python}\nimport os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n```\n",
    "chdir": "```{python}\nimport os\nos.chdir('/')\n```\n\n```{python}\nos.getcwd()\n```\n",
}


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(NoSandbox(), Bounds(3))
    pool.open()
    yield pool
    pool.close()


@pytest.fixture
def warm(pool: Pool) -> JupyterEngine:
    """The engine with the pool."""
    return JupyterEngine(NoSandbox(), Path(pypandoc.get_pandoc_path()), Path(sys.executable), pool)


@pytest.fixture
def job(tmp_path: Path, kernel_base: Base) -> Callable[..., Job]:
    """A job for a text, as `paper.qmd` in a directory of a project."""

    def call(text: str, project: str = "project", **more: object) -> Job:
        document = tmp_path / project / "part" / "paper.qmd"
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(text)
        (document.parent / "beside.py").write_text("name = 'a module beside the document'\n")
        fields: dict[str, object] = {"environment": {"PATH": "/usr/bin:/bin"}, **more}
        return Job(document, tmp_path / project, kernel_base.python, kernel_base.prefix, **fields)  # type: ignore[arg-type]

    return call


Jobs = Callable[..., Job]


def ready(pool: Pool, kernels: int = 1) -> None:
    """Waits until so many wait with a kernel that answers."""
    assert pool.wait_for(lambda counts: counts.ready == counts.waiting == kernels, 120), pool.counts()


def was_warm(rendered: Rendered) -> bool:
    assert "kernel" in rendered.timings_ms
    return "kernel_age" in rendered.timings_ms


def page(job: Job) -> str:
    return job.document.with_suffix(".html").read_text()


def kernel_of(job: Job) -> int:
    """The process that ran the cells of PID."""
    found = re.search(r"pid (\d+)", page(job))
    assert found
    return int(found[1])


def waiting_processes() -> list[psutil.Process]:
    """The runners that we have started, and their kernels."""
    return psutil.Process().children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that ended and was not reaped does not."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_each_kernel_is_used_once(warm: JupyterEngine, pool: Pool, job: Jobs) -> None:
    kernels = set()
    for times in range(3):
        one = job(PID)
        rendered = warm.render(one, silent)
        assert (rendered.status, was_warm(rendered)) == ("success", times > 0)
        kernels.add(kernel_of(one))
        ready(pool)
    counts = pool.counts()
    assert len(kernels) == 3
    assert (counts.started, counts.used, counts.missed) == (3, 2, 0)
    assert not [pid for pid in kernels if psutil.pid_exists(pid)]


@pytest.mark.parametrize("name", TEXTS)
def test_a_warm_kernel_gives_what_a_cold_one_gives(
    name: str, warm: JupyterEngine, engine: JupyterEngine, pool: Pool, job: Jobs
) -> None:
    one = job(TEXTS[name], formats=("html",))
    outcomes = []
    pool.replenish(one)
    ready(pool)
    for renderer in (warm, engine):
        events: list[Event] = []
        rendered = renderer.render(one, events.append)
        problems = [problem.to_json() for problem in rendered.problems]
        told = (rendered.status, problems, rendered.prefix, rendered.outputs, events)
        outcomes.append((told, page(one) if rendered.outputs else None))
        one.document.with_suffix(".html").unlink(missing_ok=True)
    assert pool.counts().used == 1
    assert outcomes[0] == outcomes[1]


def test_a_document_that_fails_leaves_a_warm_kernel_and_one_that_kills_it_leaves_none(
    warm: JupyterEngine, pool: Pool, job: Jobs
) -> None:
    warm.render(job(TEXTS["kernel-killed"]), silent)
    assert pool.counts().started == 0
    warm.render(job("Only text"), silent)
    assert pool.counts().started == 0
    warm.render(job(TEXTS["own-error"]), silent)
    assert pool.counts().started == 1


def test_two_projects_share_no_kernel(warm: JupyterEngine, pool: Pool, job: Jobs) -> None:
    one, other = job(PID, "one"), job(PID, "other")
    warm.render(one, silent)
    ready(pool)
    assert not was_warm(warm.render(other, silent))
    ready(pool, 2)
    assert was_warm(warm.render(one, silent))
    assert was_warm(warm.render(other, silent))
    assert kernel_of(one) != kernel_of(other)


@pytest.mark.parametrize("generation", [0, 1])
def test_one_that_was_killed_while_it_waited_is_a_miss(
    generation: int, warm: JupyterEngine, pool: Pool, job: Jobs
) -> None:
    one = job(PID)
    pool.replenish(one)
    ready(pool)
    runner, kernel = sorted(waiting_processes(), key=lambda process: process.create_time())
    (runner, kernel)[generation].kill()
    rendered = warm.render(one, silent)
    assert (rendered.status, was_warm(rendered)) == ("success", False)
    counts = pool.counts()
    assert (counts.used, counts.missed + counts.ended) == (0, 1)


def test_one_that_is_stopped_while_it_waits_ends_with_the_renders_time(
    warm: JupyterEngine, pool: Pool, job: Jobs
) -> None:
    one = job(PID, seconds_max=1.5)
    pool.replenish(one)
    ready(pool)
    runner, _ = sorted(waiting_processes(), key=lambda process: process.create_time())
    runner.suspend()
    assert warm.render(one, silent).status == "timedout"
    assert alive([runner]) == []


def test_what_was_installed_meanwhile_is_seen_by_a_kernel_that_starts_after_it(
    warm: JupyterEngine, pool: Pool, job: Jobs, tmp_path: Path, kernel_base: Base
) -> None:
    prefix = tmp_path / "layer"
    subprocess.run([kernel_base.python, "-m", "venv", "--without-pip", prefix], check=True)
    (site,) = prefix.glob("lib/python*/site-packages")
    (site / "base.pth").write_text("".join(f"{path}\n" for path in kernel_base.site_packages))
    text = "```{python}\nimport sys\nprint('installed', 'arrived' in sys.modules)\n```\n"
    one = job(text)
    layered = Job(one.document, one.project, prefix / "bin" / "python", prefix, environment=one.environment)
    pool.replenish(layered)
    ready(pool)
    (site / "arrived.py").touch()
    (site / "arrived.pth").write_text("import arrived\n")
    rendered = warm.render(layered, silent)
    assert (rendered.status, was_warm(rendered), pool.counts().missed) == ("success", False, 1)
    assert "installed True" in page(layered)


def test_a_lease_that_marks_the_environment_as_used_loses_no_kernel(warm: JupyterEngine, pool: Pool, job: Jobs) -> None:
    one = job("```{python}\nprint('here')\n```\n")
    pool.replenish(one)
    ready(pool)
    os.utime(one.prefix, (0, 0))
    rendered = warm.render(one, silent)
    assert (rendered.status, was_warm(rendered), pool.counts().missed) == ("success", True, 0)


def test_the_time_of_a_render_counts_from_its_request(warm: JupyterEngine, pool: Pool, job: Jobs) -> None:
    one = job("```{python}\nwhile True: pass\n```\n", seconds_max=2.0)
    pool.replenish(one)
    ready(pool)
    processes = waiting_processes()
    rendered = warm.render(one, silent)
    assert (rendered.status, rendered.problems[0].code) == ("timedout", "render-timeout")
    assert pool.counts().used == 1
    assert alive(processes) == []


def test_a_cancelled_render_ends_its_kernel(warm: JupyterEngine, pool: Pool, job: Jobs) -> None:
    one = job("```{python}\nwhile True: pass\n```\n")
    pool.replenish(one)
    ready(pool)
    events: list[Event] = []
    rendered = warm.render(one, events.append, lambda: bool(events))
    assert (rendered.status, rendered.problems[0].code) == ("terminated", "render-stopped")
    assert alive(waiting_processes()) == []


def test_a_render_that_is_interrupted_ends_its_kernel(warm: JupyterEngine, pool: Pool, job: Jobs) -> None:
    one = job("```{python}\nwhile True: pass\n```\n")
    pool.replenish(one)
    ready(pool)

    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warm.render(one, interrupt)
    assert alive(waiting_processes()) == []
    assert pool.counts().waiting == 0


def test_closing_ends_all_that_wait_and_takes_their_directories(pool: Pool, job: Jobs) -> None:
    for name in ("one", "two", "three"):
        pool.replenish(job(PID, name))
    ready(pool, 3)
    processes = waiting_processes()
    homes = {Path(process.environ()["HOME"]) for process in processes}
    pool.close()
    assert len(processes) == 6
    assert alive(processes) == []
    assert not [home for home in homes if home.exists()]


def test_memory_of_runner_and_kernel_is_seen(pool: Pool, job: Jobs) -> None:
    pool.replenish(job(PID))
    assert pool.wait_for(lambda counts: counts.memory_bytes > 0, 120)
    # Two interpreters with Jupyter's packages, each tens of megabytes.
    assert 50_000_000 < pool.counts().memory_bytes < 500_000_000


OWNER = """
import fcntl, os, sys
from pathlib import Path
from recto.engines.base import Job
from recto.engines.jupyter.pool import Bounds, Pool
from recto.sandbox.none import NoSandbox

project, python, prefix, lease = sys.argv[1:]
held = os.open(lease, os.O_RDONLY)
fcntl.flock(held, fcntl.LOCK_SH)
pool = Pool(NoSandbox(), Bounds(1))
pool.open()
pool.replenish(Job(Path(project, "a.qmd"), Path(project), Path(python), Path(prefix), keep_open=(held,)))
assert pool.wait_for(lambda counts: counts.ready == 1, 120)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_an_owner_that_ends_in_any_way_leaves_no_process_and_no_lease(
    how: signal.Signals | None, tmp_path: Path, kernel_base: Base
) -> None:
    lease = tmp_path / "environment"
    lease.touch()
    arguments = [tmp_path, kernel_base.python, kernel_base.prefix, lease]
    command: list[str | Path] = [sys.executable, "-c", OWNER, *arguments]
    # A killed owner leaves directories.
    variables = {"PATH": os.defpath, "TMPDIR": str(tmp_path)}
    owner = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        children = psutil.Process(owner.pid).children(recursive=True)
        handles = [os.pidfd_open(process.pid) for process in children]
        if how is None:
            owner.stdin.close()
        else:
            owner.send_signal(how)
    assert len(children) == 2
    for handle in handles:
        # Readable once the process has ended (pidfd_open(2)).
        assert select.select([handle], [], [], 30)[0]
        os.close(handle)
    flock = subprocess.run(["flock", "--exclusive", "--nonblock", lease, "true"], check=False)
    assert flock.returncode == 0


def test_an_app_keeps_kernels_only_while_it_is_entered(tmp_path: Path, kernel_base: Base, job: Jobs) -> None:
    one = job(PID, environment={})
    request = RenderRequest(one.document, engine="jupyter")
    app = App(Settings(data_dir=tmp_path / "data", base=kernel_base.python, warm_kernels=2))
    assert app.renders.render(request).status == "success"
    assert app.kernels is not None
    assert app.kernels.counts().started == 0
    with app:
        app.renders.render(request)
        ready(app.kernels)
        assert "kernel_age" in app.renders.render(request).timings_ms
    assert app.kernels.counts().waiting == 0
    assert alive(waiting_processes()) == []


def test_an_app_without_the_setting_keeps_none(tmp_path: Path) -> None:
    with App(Settings(data_dir=tmp_path)) as app:
        assert app.kernels is None
