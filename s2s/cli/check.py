"""s2s check: read a recipe, say all that is wrong with it, or print it in full."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.recipes import RecipeArgument, print_yaml
from s2s.errors import Problem, RecipeError, S2SError

if TYPE_CHECKING:
    from s2s.data.tokenizers import Tokenizer
    from s2s.recipe import Recipe
    from s2s.tensors import Space

UNKNOWN_SIZE = 1000  # of a vocabulary that only the data can tell
UNKNOWN_NAMES = 3  # classes, or tags, likewise


def check(
    recipe: RecipeArgument,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes, such as model.encoder.cell=gru.")
    ] = None,
) -> None:
    """Read a recipe and build its model without data. Prints it with every default, or all its mistakes.

    s2s check demo
    s2s check my_recipe.yaml model.head.attention=additive
    """
    from s2s.recipe import read_recipe
    from s2s.shipped import find_recipe

    read = read_recipe(find_recipe(recipe), changes or ())
    source, target, parameters = build(read)
    sizes = " and ".join(dict.fromkeys(describe(space) for space in (source, target)))
    print_yaml(f"{read.to_yaml(full=True)}# {parameters:,} parameters, with {sizes}")


def build(recipe: "Recipe") -> "tuple[Space, Space, int]":
    """Both spaces, and the number of parameters. Raises RecipeError with every mistake that building finds."""
    import torch

    from s2s.nn.initialization import Unfilled

    problems: list[Problem] = []
    try:
        recipe.data()  # the reader; it opens nothing yet
    except S2SError as error:
        problems += error.problems
    try:
        source, target = spaces(recipe)
        with Unfilled(), torch.device("meta"):  # shapes without numbers: a large model takes no memory
            model = recipe.build_model(source, target)
    except S2SError as error:
        raise RecipeError.of([*problems, *error.problems]) from None
    if problems:
        raise RecipeError.of(problems)
    return source, target, sum(p.numel() for p in model.parameters())


def spaces(recipe: "Recipe") -> "tuple[Space, Space]":
    """What the two fields will be once they have seen the data, as far as the recipe says."""
    from s2s.tensors import Space

    def space_of(field: Any) -> Space:
        tokenizer = getattr(field, "tokenizer", None)
        if tokenizer is not None:  # one tokenizer for both sides is one vocabulary
            return Space("ids", vocabulary_size(tokenizer), f"tokenizer {id(tokenizer)}")
        try:
            return field.space  # type: ignore[no-any-return]
        except AttributeError:  # names that only the data can tell
            return Space(field.shape, UNKNOWN_NAMES)

    task = recipe.task()
    return space_of(task.source), space_of(task.target)


def vocabulary_size(tokenizer: "Tokenizer") -> int:
    """As many pieces as a tokenizer is asked to have; as it has, where there is nothing to learn."""
    size = getattr(tokenizer, "size", None) or getattr(tokenizer, "limit", None)
    try:
        return size or len(tokenizer)
    except AttributeError:  # only the data can tell
        return UNKNOWN_SIZE


def describe(space: "Space") -> str:
    what = f"a vocabulary of {space.size:,}" if space.shape == "ids" else f"{space.shape} of {space.size:,}"
    guess = space.size == (UNKNOWN_SIZE if space.shape == "ids" else UNKNOWN_NAMES)
    return f"{what} (a guess: the data will tell)" if guess else what
