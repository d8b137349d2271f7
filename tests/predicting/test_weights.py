import pytest

from s2s.predict import weights_of
from s2s.training.runs import Run


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        (["best", "last"], "best", "best"),
        (["best", "last"], "last", "last"),
        (["last"], "best", "last"),
        (["best"], "last", "last"),
        ([], "best", "best"),
        (["last"], "other", "other"),
    ],
)
def test_without_validation_the_last_weights_are_the_best(tmp_path, there, wanted, found):
    for name in there:
        (tmp_path / f"{name}.safetensors").touch()
    assert weights_of(Run(tmp_path), wanted) == found
