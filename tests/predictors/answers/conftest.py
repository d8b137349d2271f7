"""What the tests of answers share: a run of every kind, and the program called in this process."""

import io
import sys

import pytest

from tests.predictors.answers.tiny_runs import RECIPES, make_run, write_data


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


@pytest.fixture(scope="session")
def run_of(data, tmp_path_factory):
    """run_of(kind) -> the folder of a run of that kind, trained when it is first asked for."""
    folder, made = tmp_path_factory.mktemp("runs"), {}

    def run_of(kind):
        assert kind in RECIPES
        if kind not in made:
            made[kind] = make_run(kind, data, folder / kind)
        return made[kind]

    return run_of


@pytest.fixture
def s2s(monkeypatch, capfd):
    """s2s("predict", run, "a text") -> (exit code, standard output, standard error)."""
    from s2s.cli import main

    def call(*arguments, stdin=""):
        monkeypatch.setattr(sys, "argv", ["s2s", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as left:
            code = left.code or 0
        said = capfd.readouterr()
        return code, said.out, said.err

    return call
