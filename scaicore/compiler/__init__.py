"""From a flow document to a program: checked whole, then built.

compile(document) → Compilation(program, diagnostics)
"""

from scaicore.compiler.compiler import Compilation, compile

__all__ = ["Compilation", "compile"]
