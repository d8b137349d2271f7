"""Names that s2s had before, for components written then: a user's file that imports them still imports.

A run brings its own components along, as they were when it was made. In such a file, and only there,

    from s2s.parts import Positive

is read as `from s2s.registry import PositiveInt as Positive`.
"""

import ast
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

# Modules whose names are all in another one now, each perhaps with another name.
MODULES = {
    "s2s.data.fields": "s2s.data.fields.base",
    "s2s.data.files": "s2s.data.source_files",
    "s2s.data.labels": "s2s.data.fields.categorical",
    "s2s.data.readers": "s2s.data.readers.base",
    "s2s.data.texts": "s2s.data.fields.text",
    "s2s.data.tokenizers": "s2s.data.tokenizers.base",
    "s2s.nn.classifier": "s2s.nn.heads.classifier",
    "s2s.nn.decoder": "s2s.nn.heads.decoder",
    "s2s.nn.encoders": "s2s.nn.encoders.base",
    "s2s.nn.heads": "s2s.nn.heads.base",
    "s2s.parts": "s2s.registry",
    "s2s.tasks.label_metrics": "s2s.metrics.classification",
    "s2s.tasks.labeling": "s2s.tasks.classification",
    "s2s.tasks.metrics": "s2s.metrics.base",
}
RENAMED = {  # by the module that they are in now
    "s2s.config": {"choose": "configure"},
    "s2s.data.fields.text": {"Text": "TextField"},
    "s2s.data.fields.categorical": {"Names": "Categorical"},
    "s2s.registry": {
        "Amount": "NonNegativeFloat",
        "Choice": "ComponentConfig",
        "Count": "NonNegativeInt",
        "Family": "Registrable",
        "Fraction": "Probability",
        "Positive": "PositiveInt",
    },
    "s2s.tensors": {"Space": "FieldSpec", "leaves": "tree_leaves"},
}
MOVED_ALONE = {  # single names that went their own way
    ("s2s.nn.encoders", "RNNEncoder"): "s2s.nn.encoders.rnn",
    ("s2s.tasks.task", "Translation"): "s2s.tasks.translation",
}


def present_name(module: str, name: str) -> tuple[str, str]:
    """Where a name of s2s is now, and what it is called; itself where nothing is known of it."""
    now = MOVED_ALONE.get((module, name)) or MODULES.get(module, module)
    return now, RENAMED.get(now, {}).get(name, name)


class PresentNames(ast.NodeTransformer):
    """Imports from s2s by the names of today; what follows in the file keeps its own."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        if node.level or not (node.module or "").startswith("s2s."):
            return node
        found = []
        for alias in node.names:
            module, name = present_name(str(node.module), alias.name)
            bound = alias.asname or (alias.name if alias.name != name else None)
            new = ast.ImportFrom(module, [ast.copy_location(ast.alias(name, bound), alias)], 0)
            found.append(ast.copy_location(new, node))
        return found


class FormerNamesLoader(SourceFileLoader):
    """A Python file of the user's. It is compiled each time: a .pyc would be that of an older s2s."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = PresentNames().visit(ast.parse(self.get_data(path), path))
        return compile(tree, path, "exec", dont_inherit=True)
