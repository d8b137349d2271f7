"""A picture of the architecture, made from the code: python -m tools.architecture writes docs/architecture.svg.

Every box is a module or package directly below s2s, with the sentence that it opens with; it stands above all that it
imports, however lazily. The floors of the picture are what the imports make of themselves; tests/test_floors.py refuses
a circle, an import that goes up, and a picture that is out of date.
"""

import ast
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1] / "s2s"
PICTURE = ROOT.parent / "docs" / "architecture.svg"
Graph = dict[str, set[str]]

WIDTH, BOX, GAP = 980, 46, 14  # of the picture, of a box's height, and between boxes: pixels
CHARACTER = 6.1  # pixels that a character of the small print takes, about


def modules() -> dict[str, Path]:
    """Every module by its dotted name; a package is the name of its __init__.py."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: Mapping[str, Path]) -> Iterator[tuple[int, str]]:
    """(line, module) of every import of s2s in a file, also of those inside functions and for type checkers."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in inner]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name in known)


def graph() -> Graph:
    """Which modules each module imports."""
    known = modules()
    return {name: {other for _, other in imported(path, known)} - {name, "s2s"} for name, path in known.items()}


def folded(imports: Graph) -> Graph:
    """The same for what lies directly below s2s: one node a package."""
    found: Graph = {}
    for name, others in imports.items():
        if (here := top(name)) not in ("", "__main__"):
            found.setdefault(here, set()).update({top(other) for other in others} - {here, ""})
    return found


def top(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def circles(imports: Graph) -> list[list[str]]:
    """Groups of nodes that import one another in a circle, by Tarjan's algorithm; none is what they should be."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in imports.get(node, ()):
            if other not in order:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in imports:
        if node not in order:
            visit(node)
    return found


def floors(imports: Graph) -> list[list[str]]:
    """The nodes, from the ground up: each stands one floor above the highest that it imports."""
    if wrong := circles(imports):
        raise ValueError(f"imports go in a circle: {wrong}")
    heights: dict[str, int] = {}

    def height(node: str) -> int:
        if node not in heights:
            heights[node] = 1 + max((height(other) for other in imports.get(node, ())), default=-1)
        return heights[node]

    for node in imports:
        height(node)
    return [sorted(n for n in heights if heights[n] == h) for h in range(max(heights.values()) + 1)]


def sentence(name: str) -> str:
    """What a module or package opens with."""
    path = ROOT / name / "__init__.py" if (ROOT / name).is_dir() else ROOT / f"{name}.py"
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def draw() -> str:
    """The picture as SVG; it has no scripts and no fonts of its own, and follows the reader's colors."""
    rows = floors(folded(graph()))[::-1]
    height = len(rows) * (BOX + GAP) + GAP
    shapes = []
    for number, names in enumerate(rows):
        width = (WIDTH - GAP * (len(names) + 1)) / len(names)
        y = GAP + number * (BOX + GAP)
        for place, name in enumerate(names):
            x = GAP + place * (width + GAP)
            room = int((width - 20) / CHARACTER)
            said = sentence(name)
            said = said if len(said) <= room else said[: room - 2].rsplit(" ", 1)[0].rstrip(",;:") + " …"
            package = "/" if (ROOT / name).is_dir() else ".py"
            shapes.append(
                f"<g><title>{escape(sentence(name))}</title>"
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BOX}" rx="6"/>'
                f'<text x="{x + 10:.1f}" y="{y + 19}" class="name">{name}{package}</text>'
                f'<text x="{x + 10:.1f}" y="{y + 36}" class="said">{escape(said)}</text></g>'
            )
    style = (
        "svg{color-scheme:light dark} rect{fill:#8882;stroke:#888} text{fill:CanvasText;font-family:sans-serif}"
        " .name{font-size:14px;font-weight:600} .said{font-size:11px}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
    label = 'aria-label="The modules of s2s: each stands above all that it imports"'
    return "\n".join([f"{head} {label}>", f"<style>{style}</style>", *shapes, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    print(f"written to {PICTURE.relative_to(ROOT.parent)}")
