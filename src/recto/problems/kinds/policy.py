"""Kinds: the operator's policy says no."""

from recto.problems.kind import Kind, by_code

_CAP = {"amount": "1.2 GB", "most": "1.0 GB"}

KINDS = by_code(
    Kind(
        "install-disabled",
        "policy",
        "The operator has not turned installing on.",
        "This server installs no packages.",
        "Ask the operator to turn installing on, or use only the packages of the base.",
        who="operator",
    ),
    Kind(
        "install-not-granted",
        "policy",
        "Whoever asked may render but not install.",
        "Your compile may not install packages, so the document was given the packages of the base only.",
        "Ask an owner of the project to render it once.",
        who="nobody",
    ),
    Kind(
        "declaration-not-approved",
        "policy",
        "The declaration differs from the one that a trusted person approved.",
        "The declared packages changed since they were approved.",
        "Ask an owner of the project to approve the new list.",
        who="nobody",
    ),
    Kind(
        "cap-packages",
        "policy",
        "The resolution has more packages to install than the policy allows.",
        "{amount} packages would be installed, and at most {most} are allowed.",
        "Declare fewer packages, or ask the operator for more.",
        example={"amount": "412", "most": "300"},
    ),
    Kind(
        "cap-download",
        "policy",
        "The files to download are larger than the policy allows.",
        "{amount} would be downloaded, and at most {most} is allowed; the largest is `{largest}`.",
        "Leave out `{largest}`, or ask the operator for more.",
        example={**_CAP, "largest": "torch"},
    ),
    Kind(
        "size-unknown",
        "policy",
        "The index does not tell how large a file is, so that no cap can be kept.",
        "The index does not tell how large `{package}` is, so it cannot be checked against the caps.",
        "Use an index that reports file sizes (PEP 700).",
        who="operator",
        example={"package": "polars"},
    ),
    Kind(
        "cap-installed",
        "policy",
        "The environment would take more disk than the policy allows.",
        "The environment would take {amount} of disk, and at most {most} is allowed.",
        "Declare fewer or smaller packages, or ask the operator for more.",
        example=_CAP,
    ),
    Kind(
        "last-good",
        "policy",
        "What is declared now cannot be had, so the document was rendered with the packages that it had before.",
        "The packages are {whose}, the last that worked: what was declared since cannot be had.",
        "{changes}. The next problem says what is wrong with it.",
        level="warning",
        example={"whose": "those of 2026-03-12", "changes": "Since then `polars==99` was added"},
    ),
    Kind(
        "cap-resolve-time",
        "policy",
        "Resolving took longer than the policy allows.",
        "No set of versions was found within {seconds} s.",
        "Narrow the versions: pin the packages that you know, then try again.",
        example={"seconds": "120"},
    ),
    Kind(
        "cap-build-time",
        "policy",
        "Installing took longer than the policy allows.",
        "Installing was stopped after {seconds} s.",
        "Try again; if it happens again, declare fewer packages or ask the operator for more time.",
        example={"seconds": "600"},
    ),
)
