"""Where commands print: answers to standard output, everything else to standard error."""

from rich.console import Console

output = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False)
