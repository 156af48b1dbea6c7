"""Kinds: building a package from source, and proving what was built."""

from recto.problems.kind import Kind, by_code

_PACKAGE = {"package": "pycairo"}

KINDS = by_code(
    Kind(
        "build-no-compiler",
        "build",
        "A source build found no C or C++ compiler, or too old a one.",
        "`{package}` has to be compiled, and there is no suitable compiler.",
        "Choose a version that has a ready-made wheel.",
        example=_PACKAGE,
    ),
    Kind(
        "build-no-rust",
        "build",
        "A source build found no Rust toolchain.",
        "`{package}` has to be compiled with Rust, and there is no Rust here.",
        "Choose a version that has a ready-made wheel.",
        example=_PACKAGE,
    ),
    Kind(
        "build-missing-library",
        "build",
        "A header or system library that a source build needs is absent.",
        "Compiling `{package}` needs a system library that is missing: {library}.",
        "Choose a version that has a ready-made wheel, or ask the operator for the library.",
        example={**_PACKAGE, "library": "cairo"},
    ),
    Kind(
        "build-script-error",
        "build",
        "The package's own build script raised an error.",
        "The build script of `{package}` failed: {reason}.",
        "Try a newer version of the package; its script does not work with this Python.",
        who="maintainer",
        example={**_PACKAGE, "reason": "ModuleNotFoundError: No module named 'pkg_resources'"},
    ),
    Kind(
        "build-compile-error",
        "build",
        "The compiler ran and rejected the source.",
        "Compiling `{package}` failed: its source does not suit this compiler or this Python.",
        "Try a newer version of the package.",
        who="maintainer",
        example=_PACKAGE,
    ),
    Kind(
        "build-failed-unspecified",
        "build",
        "A build failed, and the log does not show why.",
        "Building `{package}` failed for a reason that the log does not show.",
        "Choose a version that has a ready-made wheel.",
        example=_PACKAGE,
    ),
    Kind(
        "resolution-unreadable",
        "build",
        "While versions were looked for, a package's build script got hold of the answer.",
        "The versions that were found cannot be read: {reason}.",
        "One of the declared packages is built from source and does more than that; choose others.",
        example={"reason": "it is a link, or lies behind one"},
    ),
    Kind(
        "build-wheel-refused",
        "build",
        "A build ended well and did not leave the one wheel that it should have made.",
        "What the build of `{package}` left is refused: {reason}.",
        "Choose a version that has a ready-made wheel.",
        who="maintainer",
        example={**_PACKAGE, "reason": "it left 2 wheels of pycairo 1.27.0, not one"},
    ),
    Kind(
        "proof-kernel",
        "build",
        "The finished environment did not start a kernel under its own interpreter.",
        "The packages were installed, but no notebook kernel starts with them: {reason}.",
        "One of the packages breaks the kernel; remove the one you added last.",
        example={"reason": "the kernel died"},
    ),
    Kind(
        "install-failed",
        "build",
        "The installer failed in a way that is not recognised.",
        "The packages could not be installed: {reason}.",
        "The full text of the installer is in the log.",
        who="operator",
        example={"reason": "exit status 2"},
    ),
)
