"""Where commands print: answers to standard output, everything else to standard error."""

from rich.console import Console

# No emoji: rich would read `recipe.yaml:100: model` as one.
output = Console(highlight=False, soft_wrap=True, emoji=False)
errors = Console(stderr=True, highlight=False, emoji=False)
