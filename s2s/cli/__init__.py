"""The command line: one small file a verb. Hyperparameters live in recipes, not in flags."""

import os
import sys


def main() -> None:
    """Entry point of `s2s`. Mistakes of the reader's are one line each, without a traceback; exit code 2."""
    from s2s.cli.app import app
    from s2s.cli.console import warnings_in_lines
    from s2s.errors import S2SError

    warnings_in_lines()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # so that a reader who has left is noticed here, not when Python shuts down
    except S2SError as error:
        from s2s.cli.console import errors

        for problem in error.problems:
            # No markup: rich would take the square brackets of a path or a list for its own.
            errors().print(f"error: {problem}", markup=False, highlight=False, soft_wrap=True, style="red")
        raise SystemExit(2) from None
    except BrokenPipeError:
        leave_quietly()
    except SystemExit as error:  # typer and rich make one, with code 1, of a broken pipe
        if isinstance(error.__context__, BrokenPipeError):
            leave_quietly()
        raise
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def leave_quietly() -> None:
    """`s2s ... | head` has seen enough: nothing went wrong, and what is still to be flushed has no reader."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    raise SystemExit(0) from None
