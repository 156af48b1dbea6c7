"""Run by the interpreter in question, with `-I`: one JSON object on stdout that says who it is.

The only argument is the directory of our own `packaging`, which computes tags, markers and normalised names here, so
that they are this interpreter's and the interpreter needs nothing installed. The standard library is all else used.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import site
import sys
import sysconfig
from pathlib import Path


def _load_packaging(directory: Path) -> None:
    """Makes `import packaging` ours without showing this interpreter anything else of our site-packages."""
    spec = importlib.util.spec_from_file_location(
        "packaging", directory / "__init__.py", submodule_search_locations=[str(directory)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package in {directory}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["packaging"] = module
    spec.loader.exec_module(module)


def _site_directories() -> list[str]:
    """Where packages lie: the site directories on `sys.path`, those that a `.pth` file adds included."""
    own = set(site.getsitepackages())
    named = ("site-packages", "dist-packages")
    return [path for path in sys.path if (path in own or Path(path).name in named) and Path(path).is_dir()]


def _distributions() -> dict[str, str]:
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        # An interrupted uninstall leaves a directory without metadata, which names nothing.
        if "Name" in metadata and "Version" in metadata:
            found.setdefault(canonicalize_name(metadata["Name"]), metadata["Version"])
    return found


def _libc() -> str:
    from packaging import _musllinux

    musl = _musllinux._get_musl_version(sys.executable)
    if musl is not None:
        return f"musl {musl.major}.{musl.minor}"
    return " ".join(platform.libc_ver()).strip()


def _roots(directories: list[str]) -> list[str]:
    """The outermost of everything that this interpreter reads at start."""
    executable = Path(getattr(sys, "_base_executable", sys.executable))
    wanted = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *directories]
    wanted += [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    wanted += [str(path.parent) for path in (executable, executable.resolve(), Path(sys.executable).resolve())]
    roots: list[Path] = []
    for path in sorted({Path(path).absolute() for path in wanted}):
        if not any(path.is_relative_to(root) for root in roots):
            roots.append(path)
    return [str(root) for root in roots]


def _answer() -> dict[str, object]:
    from packaging.markers import default_environment
    from packaging.tags import sys_tags

    directories = _site_directories()
    return {
        "python": sys.executable,
        "prefix": sys.prefix,
        "is_venv": sys.prefix != sys.base_prefix,
        "implementation": sys.implementation.name,
        "version": platform.python_version(),
        "version_info": list(sys.version_info[:2]),
        "platform": sysconfig.get_platform(),
        "libc": _libc(),
        "abi": sysconfig.get_config_var("SOABI") or sysconfig.get_config_var("EXT_SUFFIX") or "",
        "site_packages": directories,
        "distributions": _distributions(),
        "markers": dict(default_environment()),
        "tags": [str(tag) for tag in sys_tags()],
        "roots": _roots(directories),
        "bytecode": f"{sys.implementation.cache_tag} {importlib.util.MAGIC_NUMBER.hex()}",
    }


def _main() -> None:
    _load_packaging(Path(sys.argv[1]))
    sys.stdout.write(json.dumps(_answer()))


if __name__ == "__main__":
    _main()
