"""Bytecode, compiled once for each distribution and linked into every environment that has it."""

from recto.builder.bytecode.keeping import Bytecode, Compiled
from recto.builder.bytecode.keys import BytecodeKey

__all__ = ["Bytecode", "BytecodeKey", "Compiled"]
