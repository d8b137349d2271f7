"""s2s schema: what a recipe may say, as a JSON schema for editors."""

import typer


def schema() -> None:
    """Print the JSON schema of recipes, for editors.

    s2s schema > recipe.schema.json
    """
    import json

    from s2s.plugins import load_all
    from s2s.recipe_schema import recipe_schema as make

    load_all()
    typer.echo(json.dumps(make(), indent=1, ensure_ascii=False))
