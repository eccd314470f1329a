"""The code of models: it is checked and built in a restricted process. See README.md."""

from training.code.argument_text import arguments
from training.code.checking import build, check, check_syntax, check_trained
from training.code.installed import lacking
from training.code.program import CodeError, Program, Summary

__all__ = [
    "CodeError",
    "Program",
    "Summary",
    "arguments",
    "build",
    "check",
    "check_syntax",
    "check_trained",
    "lacking",
]
