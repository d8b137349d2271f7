"""The command line: one small file a verb. Hyperparameters live in recipes, not in flags."""

import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s2s.errors import Problem


def main() -> None:
    """Entry point of `s2s`. Mistakes of the reader's are one line each, without a traceback; exit code 2."""
    from s2s.cli.app import app
    from s2s.cli.console import warnings_in_lines
    from s2s.cli.streams import prepare_streams
    from s2s.errors import S2SError, memory_for

    prepare_streams()
    warnings_in_lines()
    try:
        try:
            with memory_for("", lambda: "make batch_size, beam_size, the model's hidden or the texts smaller"):
                app()
        finally:
            sys.stdout.flush()  # so that a reader who has left, or a full disk, is noticed here, not at shutdown
    except S2SError as error:
        refuse(error.problems)
    except BrokenPipeError:
        leave_quietly()
    except OSError as error:
        refuse_file(error)
    except SystemExit as error:  # typer and rich make one, with code 1, of a broken pipe
        if isinstance(error.__context__, BrokenPipeError):
            leave_quietly()
        raise
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def refuse(problems: "Iterable[Problem]") -> NoReturn:
    """Say what is wrong, and leave."""
    from s2s.cli.console import errors

    for problem in problems:
        # No markup: rich would take the square brackets of a path or a list for its own.
        errors().print(f"error: {problem}", markup=False, highlight=False, soft_wrap=True, style="red")
    raise SystemExit(2) from None


def refuse_file(error: OSError) -> NoReturn:
    """What the system refused: standard output, or a file that nobody thought of. Raises what names neither."""
    from s2s.cli.streams import STDOUT, silence
    from s2s.errors import Problem
    from s2s.files import errno_reason

    if error.filename is None:
        raise error
    what, hint = errno_reason(error)
    if error.filename == STDOUT:
        silence()
        hint = "what was written is not whole: run the same command again"
    refuse([Problem(str(error.filename), what, hint)])


def leave_quietly() -> NoReturn:
    """`s2s ... | head` has seen enough: nothing went wrong, and what is still to be flushed has no reader."""
    from s2s.cli.streams import silence

    silence()
    raise SystemExit(0) from None
