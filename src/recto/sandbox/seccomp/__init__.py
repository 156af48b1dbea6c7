"""Which system calls a contained command may not make, and the program that tells the kernel so (seccomp(2))."""

from recto.sandbox.seccomp.assemble import program
from recto.sandbox.seccomp.rules import OFFLINE_RULES, RULES, UNSHARED_RULES

__all__ = ["OFFLINE_RULES", "RULES", "UNSHARED_RULES", "program"]
