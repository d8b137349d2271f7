"""A recipe is the whole description of a run: what to learn from, what to build, how to train it.

    recipe = read_recipe("recipes/demo.yaml", ["training.steps=100"])
    task = recipe.task()
    model = recipe.build_model(task.source.space, task.target.space)

YAML becomes checked constructors (config.py); every complaint names the file, the line and the nearest
word, and all of them come at once. A change on the command line is a line of the recipe, in the
recipe's own words, checked by the same code.
"""

import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import s2s.data.dialogues
import s2s.data.folders
import s2s.data.generated
import s2s.data.hub
import s2s.data.images
import s2s.data.labels
import s2s.data.lines
import s2s.data.numbers
import s2s.data.subwords
import s2s.data.tables
import s2s.data.texts
import s2s.decoding.sampling
import s2s.nn.backbones
import s2s.nn.by_hand
import s2s.nn.classifier
import s2s.nn.decoder
import s2s.nn.deep
import s2s.nn.images
import s2s.nn.language_model
import s2s.nn.nothing
import s2s.nn.stepwise
import s2s.tasks.caption_metrics
import s2s.tasks.captions
import s2s.tasks.chat
import s2s.tasks.label_metrics
import s2s.tasks.labeling
import s2s.tasks.language  # noqa: F401  (these register the kinds that a recipe may name)
from s2s.config import BACKSLASHES, choose, make
from s2s.data.readers import Reader
from s2s.data.word_vectors import WordVectors
from s2s.decoding.search import Search
from s2s.errors import DataError, OptionError, Problem, RecipeError
from s2s.nn.encoders import Encoder
from s2s.nn.heads import Head
from s2s.nn.initialization import Initializer
from s2s.nn.model import Model, build_model
from s2s.nn.pretrained import embedding_of, freeze
from s2s.parts import Choice, tree
from s2s.tasks.task import Task
from s2s.tensors import Space
from s2s.training.options import Training


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The pair that a model is, and how it starts.

    tied_embeddings  source and target share one embedding matrix
    word_vectors     what embeddings begin with, from a file: {path: glove.6B.300d.txt.gz, frozen: true}
    """

    encoder: Choice[Encoder] = choose(Encoder, "rnn")
    head: Choice[Head] = choose(Head, "decoder")
    tied_embeddings: bool = False
    initialization: Choice[Initializer] = choose(Initializer, "default")
    word_vectors: WordVectors | None = None


@dataclass(frozen=True)
class Origin:
    """Where the words of a recipe stand, so that a complaint can point at them."""

    path: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    changed: tuple[str, ...] = ()

    def place(self, key: str) -> str:
        """`recipes/demo.yaml:4: model.head`, or `on the command line: model.head`."""
        if any(key == c or key.startswith(f"{c}.") or c.startswith(f"{key}.") for c in self.changed):
            return f"on the command line: {key}"
        near = key
        while near not in self.lines and "." in near:
            near = near.rpartition(".")[0]
        return f"{self.path}:{self.lines.get(near, 1)}: {key}" if self.path else key

    def located(self, error: RecipeError) -> RecipeError:
        """The same problems, each with its place."""
        return RecipeError.of(p._replace(where=self.place(p.where)) for p in error.problems)

    @contextmanager
    def mounting(self, key: str) -> Iterator[None]:
        """What a component that stands at this key raises about its options gets its place in the recipe."""
        try:
            yield
        except (OptionError, RecipeError) as error:
            kind = DataError if isinstance(error, OptionError) else RecipeError
            wheres = (p.where if p.where.startswith(key) else f"{key}.{p.where}".rstrip(".") for p in error.problems)
            placed = (p._replace(where=self.place(where)) for p, where in zip(error.problems, wheres))
            raise kind.of(placed) from None


@dataclass(kw_only=True)
class Recipe:
    """All that a run needs to be told. Each field is a section, or a line, of the YAML file."""

    name: str
    task: Choice[Task]
    data: Choice[Reader]
    model: Layout = Layout()
    training: Training = Training()
    decoding: Choice[Search] = choose(Search, "beam")
    seed: int = 1
    uses: tuple[str, ...] = ()
    origin: Origin = field(default_factory=Origin, init=False, repr=False, compare=False)

    def build_model(self, source: Space, target: Space) -> Model:
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
                embeddings = [embedding_of(model, side) for side in chosen.sides]
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
    return parse_recipe(text, str(path), changes, folder=path.parent)


def parse_recipe(text: str, path: str = "", changes: Sequence[str] = (), folder: Path = Path()) -> Recipe:
    """The same from text. `folder` is where the files named by `uses` are looked for."""
    node, lines = parse_yaml(text, path)
    changed = [change.partition("=")[0] for change in changes]
    for change in changes:
        set_key(node, change)
    origin = Origin(path, lines, tuple(changed))
    try:
        for name in as_list(node.get("uses"), "uses"):
            use_parts(folder / name)
        recipe = make(Recipe, node, "")
    except RecipeError as error:
        raise origin.located(error) from None
    recipe.origin = origin
    return recipe


def parse_yaml(text: str, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The tree of a YAML text, and the line of every key in it."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise RecipeError(
                path, "is not a recipe: it has no sections", "start with: name, task, data, model, training"
            )
        lines = line_numbers(node, path)
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        what = getattr(error, "problem", None) or "is not YAML"
        raise RecipeError(where, f"YAML cannot be read here: {what}", yaml_hint(error)) from None
    except RecursionError:
        raise RecipeError(path, "is YAML nested too deeply", "a recipe is a few levels deep") from None
    except ValueError as error:  # of a number with thousands of digits, or a date that no calendar has
        raise RecipeError(path, f"YAML cannot be read: {error}", "put what is text in quotes") from None


def yaml_hint(error: yaml.YAMLError) -> str:
    """What most likely makes a text no YAML."""
    context, problem = (str(getattr(error, name, "")) for name in ("context", "problem"))
    if "double-quoted" in context and "escape" in problem:
        return BACKSLASHES
    if problem.startswith(("found character '%", "found character '@", "found character '`")):
        return "put a text that begins with such a sign in quotes"
    return "indent with spaces, and put a space after each ':'"


def line_numbers(node: yaml.Node, path: str, where: str = "") -> dict[str, int]:
    """The line of every key, by its dotted name; a key written twice is a mistake YAML itself lets pass."""
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{where}.{key.value}".lstrip(".")
            line = key.start_mark.line + 1
            if name in found:
                raise RecipeError(f"{path}:{line}", f"{name} is written twice", f"it is also on line {found[name]}")
            found[name] = line
            found |= line_numbers(value, path, name)
    return found


def set_key(node: dict[str, Any], change: str) -> None:
    """`training.steps=100`, in the recipe's own words, written into its tree."""
    key, sign, value = change.partition("=")
    if not sign or not key:
        raise RecipeError("on the command line", f"{change!r} is not KEY=VALUE", "for example: training.steps=100")
    *parents, last = key.split(".")
    for parent in parents:
        inner = node.get(parent)
        if not isinstance(inner, dict):  # a plain name becomes the same part, written out
            inner = {"kind": inner} if isinstance(inner, str) else {}
            node[parent] = inner
        node = inner
    try:
        node[last] = yaml.safe_load(value) if value else ""
    except (yaml.YAMLError, ValueError, RecursionError):
        node[last] = value  # `a: b`, `[x` or a number without end: a text that YAML would misread


def as_list(value: Any, where: str) -> list[str]:
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    if wrong := [v for v in values if not isinstance(v, str)]:
        raise RecipeError(where, f"expected names of Python files, found {wrong[0]!r}")
    return values


def use_parts(path: Path) -> None:
    """Import a file of a user's own parts: being imported is what registers them."""
    path = path.expanduser()
    if not path.is_file():
        raise RecipeError("uses", f"there is no file {str(path)!r}", "names are relative to the recipe's folder")
    name = f"s2s_parts_{abs(hash(path.resolve()))}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RecipeError("uses", f"{str(path)!r} is not a Python file", "give a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's file may raise is reported as its own
        del sys.modules[name]
        raise RecipeError(
            "uses", f"{path} does not import: {type(error).__name__}: {error}", f"try: python {path}"
        ) from error


def differences(old: Recipe, new: Recipe) -> list[Problem]:
    """What two recipes say differently, key by key, as `training.seed: 1 became 2`."""

    def flat(node: Any, where: str = "") -> dict[str, Any]:
        if not isinstance(node, dict):
            return {where: node}
        return {k: v for key, item in node.items() for k, v in flat(item, f"{where}.{key}".lstrip(".")).items()}

    a, b = flat(tree(old)), flat(tree(new))
    keys = [key for key in [*a, *(k for k in b if k not in a)] if a.get(key) != b.get(key)]
    return [Problem(key, f"{a.get(key)!r} became {b.get(key)!r}") for key in keys]
