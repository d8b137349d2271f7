"""The command line: one small file a verb. Hyperparameters live in recipes, not in flags."""

import sys


def main() -> None:
    """Entry point of `s2s`. Mistakes of the reader's are one line each, without a traceback; exit code 2."""
    from s2s.cli.app import app
    from s2s.errors import S2SError

    try:
        app()
    except S2SError as error:
        from s2s.cli.console import errors

        for problem in error.problems:
            # No markup: rich would take the square brackets of a path or a list for its own.
            errors.print(f"error: {problem}", markup=False, highlight=False, soft_wrap=True, style="red")
        raise SystemExit(2) from None
    except BrokenPipeError:  # `s2s ... | head` has seen enough
        sys.stderr.close()
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
