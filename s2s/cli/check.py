"""s2s check: read a recipe, say all that is wrong with it, or print it in full."""

from itertools import product
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli.recipes import RecipeArgument, print_yaml
from s2s.errors import Problem, RecipeError, S2SError

if TYPE_CHECKING:
    from s2s.recipe import Recipe
    from s2s.tensors import FieldSpec


def check_command(
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
    from s2s.recipe_index import find_recipe

    read = read_recipe(find_recipe(recipe), changes or ())
    source, target, parameters = build(read)
    sizes = " and ".join(dict.fromkeys(described_side(space) for space in (source, target)))
    print_yaml(f"{read.to_yaml(full=True)}# {parameters:,} parameters, with {sizes}")


def build(recipe: "Recipe") -> "tuple[FieldSpec, FieldSpec, int]":
    """Both spaces, and the number of parameters. Raises RecipeError with every mistake that building finds."""
    import torch

    from s2s.nn.initialization import Unfilled

    problems: list[Problem] = []
    try:
        recipe.data()  # the reader; it opens nothing yet
    except S2SError as error:
        problems += error.problems
    try:
        task = recipe.build_task()
        with Unfilled(), torch.device("meta"):  # shapes without numbers: a large model takes no memory
            built = first_that_fits(recipe, list(product(task.source.guesses(), task.target.guesses())))
    except S2SError as error:
        raise RecipeError.of([*problems, *error.problems]) from None
    if problems:
        raise RecipeError.of(problems)
    return built


def first_that_fits(recipe: "Recipe", pairs: "list[tuple[FieldSpec, FieldSpec]]") -> "tuple[FieldSpec, FieldSpec, int]":
    """The first pair of what the sides may be for which a model can be built. Raises what is wrong with the first."""
    errors: list[RecipeError] = []
    for source, target in pairs:
        try:
            model = recipe.build_model(source, target)
            return source, target, sum(p.numel() for p in model.parameters())
        except RecipeError as error:
            errors.append(error)
    raise errors[0]


def spaces(recipe: "Recipe") -> "tuple[FieldSpec, FieldSpec]":
    """What the two fields will be once they have seen the data, as far as the recipe says."""
    task = recipe.build_task()
    return task.source.guesses()[0], task.target.guesses()[0]


def described_side(space: "FieldSpec") -> str:
    from s2s.data.fields.base import GUESS
    from s2s.data.tokenizers.base import UNKNOWN_SIZE

    what = f"a vocabulary of {space.size:,}" if space.modality == "ids" else f"{space.modality} of {space.size:,}"
    guess = space.size == (UNKNOWN_SIZE if space.modality == "ids" else GUESS) and space.modality != "image"
    return f"{what} (a guess: the data will tell)" if guess else what
