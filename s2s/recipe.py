"""A recipe is the whole description of a run: what to learn from, what to build, how to train it.

    recipe = read_recipe("recipes/translation/demo.yaml", ["training.steps=100"])
    task = recipe.task()
    model = recipe.build_model(task.source.space, task.target.space)

YAML becomes checked constructors (config.py); every complaint names the file, the line and the nearest
word, and all of them come at once. A change on the command line is a line of the recipe, in the
recipe's own words, checked by the same code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import yaml

import s2s.builtin  # noqa: F401  (a recipe may name any of these parts)
from s2s.config import configure, parse_dataclass
from s2s.data.readers.base import Reader
from s2s.data.tokenizers.word_vectors import WordVectors
from s2s.decoding.search import Search
from s2s.errors import Problem, RecipeError, several
from s2s.metrics.base import Metric
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.initialization import Initializer
from s2s.nn.model import Model, build_model
from s2s.nn.pretrained import embedding_of, freeze
from s2s.paths import find, find_named, map_paths, places
from s2s.plugins import use_parts
from s2s.recipe_index import recipes_folder
from s2s.recipe_yaml import Origin, as_list, parse_yaml, set_key
from s2s.registry import ComponentConfig, PathOrName, PositiveInt, tree
from s2s.tasks.task import Task
from s2s.tensors import FieldSpec
from s2s.training.config import TrainingConfig

FORMAT = 1  # raise it when an older s2s would misread a recipe; what is merely renamed has an alias


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The pair that a model is, and how it starts.

    tied_embeddings  source and target share one embedding matrix
    word_vectors     what embeddings begin with, from a file: {path: glove.6B.300d.txt.gz, frozen: true}
    """

    encoder: ComponentConfig[Encoder] = configure(Encoder, "rnn")
    head: ComponentConfig[Head] = configure(Head, "decoder")
    tied_embeddings: bool = False
    initialization: ComponentConfig[Initializer] = configure(Initializer, "default")
    word_vectors: WordVectors | None = None


@dataclass(kw_only=True)
class Recipe:
    """All that a run needs to be told. Each field is a section, or a line, of the YAML file.

    format  of its words, so that an older s2s does not misread a newer recipe; without it, they are those of format 1
    uses    parts that are not s2s's own: files beside the recipe, modules, or plugins of installed packages
    """

    aliases: ClassVar[Mapping[str, str]] = {}  # sections that were renamed: see registry.Registrable

    format: PositiveInt = FORMAT
    name: str
    task: ComponentConfig[Task]
    data: ComponentConfig[Reader]
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    decoding: ComponentConfig[Search] = configure(Search, "beam")
    seed: int = 1
    uses: tuple[str, ...] = ()
    origin: Origin = field(default_factory=Origin, init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        node: Mapping[str, Any] | None = None,
        /,
        *,
        changes: Sequence[str] = (),
        folder: Path = Path(),
        **sections: Any,
    ) -> "Recipe":
        """A recipe from Python: a tree as YAML would give it, or its sections by name. Raises RecipeError.

            Recipe.of(name="mine", task={"kind": "translation", "tokenizer": "char"}, data="generated")

        In place of the name of a kind may stand the class or the function itself.
        """
        return recipe_of(copied({**(node or {}), **sections}), Origin(), changes, folder)

    def build_task(self) -> Task:
        """The task, before it has seen data."""
        try:
            return self.task()
        except RecipeError as error:
            raise self.origin.located(error) from None

    def build_model(self, source: FieldSpec, target: FieldSpec) -> Model:
        """Sizes flow one way: data -> encoder -> head."""
        layout = self.model
        try:
            model = build_model(
                layout.encoder,
                layout.head,
                source,
                target,
                tied_embeddings=layout.tied_embeddings,
                initialization=layout.initialization,
            )
            if chosen := layout.word_vectors:
                try:
                    embeddings = [embedding_of(model, side) for side in chosen.sides]
                except RecipeError as error:
                    raise error.at("model") from None
                for embedding in embeddings if chosen.frozen else ():
                    freeze(embedding)
            return model
        except RecipeError as error:
            raise self.origin.located(error) from None

    def to_yaml(self, *, full: bool = True) -> str:
        """The recipe as text again; `full` writes out every default."""
        return yaml.safe_dump(tree(self, full), sort_keys=False, allow_unicode=True, width=100)


def read_recipe(path: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a YAML file, apply `key=value` changes, check all of it. Raises RecipeError with every mistake."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except IsADirectoryError:
        raise RecipeError(str(path), "is a folder, not a recipe", "name a YAML file inside it") from None
    except UnicodeDecodeError as error:
        raise RecipeError(
            str(path), f"is not text: byte {error.start} is not UTF-8", "recipes are UTF-8 YAML"
        ) from None
    except OSError as error:
        raise RecipeError(str(path), f"cannot be read: {error.strerror}", "check the name: s2s recipes") from None
    ships = path.resolve().is_relative_to(recipes_folder().resolve())  # nobody's data is beside those
    return parse_recipe(text, str(path), changes, folder=path.parent, beside=None if ships else path.parent)


def parse_recipe(
    text: str, path: str = "", changes: Sequence[str] = (), folder: Path = Path(), beside: Path | None = None
) -> Recipe:
    """The same from text.

    folder  where the files named by `uses` are looked for
    beside  where paths are looked for before the working folder; None is the working folder alone
    """
    node, lines = parse_yaml(text, path)
    return recipe_of(node, Origin(path, lines), changes, folder, beside)


def recipe_of(
    node: dict[str, Any], origin: Origin, changes: Sequence[str], folder: Path, beside: Path | None = None
) -> Recipe:
    """A recipe from its tree, which the changes are written into."""
    for change in several(changes, "changes"):
        set_key(node, change)
    origin = replace(origin, changed=tuple(change.partition("=")[0] for change in changes))
    try:
        check_format(node.get("format", FORMAT))
        here = "uses" in origin.changed  # as every path on the command line: relative to the working folder
        parts = tuple(use_parts(name, folder, here=here) for name in as_list(node.get("uses"), "uses"))
        recipe = parse_dataclass(Recipe, node, "")
    except RecipeError as error:
        raise origin.located(error) from None
    recipe.format = FORMAT
    if (metric := Metric.find(recipe.training.select_by)) is not None:
        recipe.training = replace(recipe.training, select_by=metric)  # as it is called now
    return with_paths(recipe, replace(origin, parts=parts), beside)


def with_paths(recipe: Recipe, origin: Origin, beside: Path | None) -> Recipe:
    """The recipe with each of its paths where it was found; those that are nowhere are noted in its origin."""
    nowhere = {}

    def found(key: str, path: Path | PathOrName) -> Path | PathOrName:
        folder = None if origin.commands(key) else beside
        there = find_named(path, folder) if isinstance(path, PathOrName) else find(path, folder)
        if len(tried := places(Path(path), folder)) > 1 and not Path(there).exists():
            nowhere[key] = tried
        return there

    recipe = map_paths(recipe, found)
    recipe.origin = replace(origin, nowhere=nowhere)
    return recipe


def check_format(found: Any) -> None:
    """Raises RecipeError for a recipe that is newer than this s2s."""
    if isinstance(found, int) and found > FORMAT:
        what = f"this recipe is of format {found}, and this s2s reads up to {FORMAT}"
        raise RecipeError("format", what, "upgrade: pip install --upgrade s2s")


def copied(node: Any) -> Any:
    """The same tree in dicts and lists of its own, which changes may be written into."""
    if isinstance(node, Mapping):
        return {key: copied(item) for key, item in node.items()}
    return [copied(item) for item in node] if isinstance(node, list | tuple) else node


def differences(old: Recipe, new: Recipe) -> list[Problem]:
    """What two recipes say differently, key by key, as `training.seed: 1 became 2`."""

    def flat(node: Any, where: str = "") -> dict[str, Any]:
        if not isinstance(node, dict):
            return {where: node}
        return {k: v for key, item in node.items() for k, v in flat(item, f"{where}.{key}".lstrip(".")).items()}

    a, b = flat(tree(old)), flat(tree(new))
    keys = [key for key in [*a, *(k for k in b if k not in a)] if a.get(key) != b.get(key)]
    return [Problem(key, f"{a.get(key)!r} became {b.get(key)!r}") for key in keys]
