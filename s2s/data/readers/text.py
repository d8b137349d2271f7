"""The reader of parallel text files: a sentence a line.

data: {kind: text, path: corpus, source: de, target: en}     # corpus/train.de, corpus/train.en, corpus/val.de, ...
data: {kind: text, path: ., train: my, source: de, target: en}     # my.de and my.en; validation is held out of them
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from s2s.data.readers.base import Place, Reader, Row
from s2s.data.source_files import digest, digest_files, existing_file, missing, read_lines
from s2s.errors import DataError


@dataclass(kw_only=True)
class ParallelText(Reader, kind="text"):
    """Parallel text, a sentence a line: {path}/{train}.{source} and {path}/{train}.{target}, also as .gz.

    source, target  endings of file names (`de`, `de.txt`), or whole names of the two training files;
                    a list of targets is several references
    """

    path: Path
    source: str
    target: str | tuple[str, ...]

    def locate(self, name: str, ending: str) -> Path | None:
        whole = [self.path / ending] if name == self.train else []
        return existing_file(self.path / f"{name}.{ending}", *whole)

    def endings(self) -> tuple[str, ...]:
        return (self.source, self.target) if isinstance(self.target, str) else (self.source, *self.target)

    def files(self, name: str) -> list[Path]:
        """The source file, then the target files."""
        if self.path.is_file():
            hint = "give the folder, and the rest as: train: my, source: de, target: en (my.de and my.en)"
            raise DataError(str(self.path), "is a file, and parallel text is two or more", hint)
        paths = [(self.locate(name, ending), ending) for ending in self.endings()]
        if wrong := [self.path / f"{name}.{ending}" for path, ending in paths if path is None]:
            raise missing(wrong[0])
        return [path for path, _ in paths if path is not None]

    def offers(self, name: str) -> bool:
        # One file of a pair is enough: a validation set without its target is a mistake to be told of.
        return any(self.locate(name, ending) for ending in self.endings())

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        source, *targets = self.files(name)
        return parallel(source, targets, several=not isinstance(self.target, str))

    def contents(self, name: str) -> str:
        return digest("text", isinstance(self.target, str), digest_files(self.files(name)))


def parallel(source: Path, targets: Sequence[Path], *, several: bool = False) -> Iterator[tuple[Place, Row]]:
    """Line n of the source with line n of every target. Raises DataError where their counts differ."""
    paths = (source, *targets)
    for number, texts in enumerate(zip_longest(*map(read_lines, paths)), 1):
        if None in texts:
            raise unequal(paths)
        place = Place(f"{source}:{number}", f"{targets[0]}:{number}")
        yield place, Row(texts[0], list(texts[1:]) if several else texts[1])


def unequal(paths: Sequence[Path]) -> DataError:
    counts = [sum(1 for _ in read_lines(path)) for path in paths]
    other = next(i for i, count in enumerate(counts) if count != counts[0])
    what = f"has {counts[0]:,} lines, and {paths[other]} has {counts[other]:,}"
    hint = "line n of one must translate line n of the other: look for a line that was lost or broken in two"
    return DataError(str(paths[0]), what, hint)
