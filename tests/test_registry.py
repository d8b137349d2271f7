"""What a part must be to register: of a kind of its own, and made with what its family gives."""

import re
import shutil

import pytest
from torch import nn

from s2s.data.fields.base import Field
from s2s.decoding.search import Search
from s2s.errors import RecipeError
from s2s.nn.attention import Attention
from s2s.nn.heads.base import Head
from s2s.plugins import use_file
from s2s.registry import Registrable, RegistrableFunctions


class Tool(nn.Module, Registrable):
    """A family for these tests."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()


class Verb(RegistrableFunctions[int], given=("a", "b")):
    """A family of functions."""


def one_line(error) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_second_part_of_a_kind_is_refused_and_both_places_named():
    with pytest.raises(TypeError) as error:

        class Mine(Attention, kind="dot"):
            pass

    said = one_line(error)
    assert re.search(r"test_registry\.py:\d+: there is already an attention 'dot': .*attention\.py:\d+", said)
    assert Attention.registry["dot"].__name__ == "Dot"


def test_a_second_function_of_a_kind_is_refused():
    with pytest.raises(TypeError, match=r"there is already a search 'greedy': .*sampling\.py:\d+"):

        @Search.register("greedy")
        def mine(step, memory, state, first):
            pass


def test_what_is_defined_again_takes_its_own_place():
    for _ in range(2):  # as a cell of a notebook does

        class Hammer(Tool, kind="hammer"):
            pass

    assert Tool.registry["hammer"] is Hammer


PART = """
from s2s.nn.attention import Attention

class {name}(Attention, kind="of-a-file"):
    def score(self, query, keys):
        return query @ keys.transpose(1, 2)
"""


def test_a_file_may_be_imported_again_and_so_may_its_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(Attention, "registry", dict(Attention.registry))
    file = tmp_path / "mine.py"
    file.write_text(PART.format(name="Mine"))
    use_file(file)
    first = Attention.registry["of-a-file"]
    use_file(file)
    (tmp_path / "parts").mkdir()
    shutil.copy(file, tmp_path / "parts" / "mine.py")  # a run brings its parts along
    use_file(tmp_path / "parts" / "mine.py")
    assert Attention.registry["of-a-file"].__qualname__ == first.__qualname__
    other = tmp_path / "other.py"
    other.write_text(PART.format(name="Other"))
    with pytest.raises(RecipeError, match=r"other\.py:4: there is already an attention 'of-a-file': .*mine\.py:4"):
        use_file(other)


def test_an_edited_file_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Attention, "registry", dict(Attention.registry))
    file = tmp_path / "mine.py"
    file.write_text(PART.format(name="Mine"))
    use_file(file)
    file.write_text(PART.format(name="Mine") + "    edited = True\n")
    use_file(file)
    assert Attention.registry["of-a-file"].edited


def test_what_a_family_gives_is_what_its_members_take():
    def takes(*names, star=()):
        def make(self, width, height):
            pass

        code = f"def __init__(self, {', '.join([*names, *(['*', *star] if star else [])])}): pass"
        found = {}
        exec(code, found)
        return lambda: type("Odd", (Tool,), {"__init__": found["__init__"]}, kind="odd")

    for good in (("width", "height"), ("w", "h"), ("*all",), ("width", "*rest")):
        takes(*good)()
        del Tool.registry["odd"]
    assert takes("a", "b", star=("size=3",))()
    del Tool.registry["odd"]
    for bad in (
        ("width",),
        ("width", "height", "size=3"),
        ("height", "width"),
        ("width", "height", "depth"),
    ):
        with pytest.raises(TypeError, match=r"must take \(width, height\), which is what a tool is given") as error:
            takes(*bad)()
        assert "put a star before what a recipe may choose" in one_line(error)
        assert "odd" not in Tool.registry


def test_so_it_is_for_functions():
    @Verb.register("plus")
    def plus(a, b, *, twice: bool = False):
        return a + b

    with pytest.raises(TypeError, match=r"minus\(b, a\) must take \(a, b\), which is what a verb is given"):

        @Verb.register("minus")
        def minus(b, a):
            return a - b

    assert list(Verb.registry) == ["plus"]


def test_every_family_says_what_it_gives():
    assert Attention.given == ("query", "memory")
    assert Head.given == ("width", "space")
    assert Search.given == ("step", "memory", "state", "first")
    assert Field.given == ()
    with pytest.raises(TypeError, match=r"Old\(shared\) must take \(\), which is what a field is given"):

        class Old(Field, kind="old"):
            def __init__(self, shared=None, *, size=3):
                pass
