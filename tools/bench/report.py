"""What was measured, kept as JSON, written as Markdown, and put into the documentation where that asks for it.

report = Report.read(folder)                        # what is there already: parts may be measured one by one
report.put("training", tables, command, machine)
report.write(folder)                                # bench.json, bench.md
refresh(Path("docs/performance.md"), report)        # between <!-- bench: training --> and <!-- end -->
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.bench.tables import Table

MARK = re.compile(r"(<!-- bench: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass
class Report:
    """parts: by name {command, machine, tables}, in the order they were first measured in"""

    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Report":
        """Of a folder that write() wrote to; empty where there is none."""
        path = folder / "bench.json"
        return cls(json.loads(path.read_text(encoding="utf-8"))["parts"]) if path.exists() else cls()

    def put(self, part: str, tables: Sequence[Table], command: str, machine: dict[str, Any]) -> None:
        """The tables of one part, in place of what was measured before."""
        self.parts[part] = {"command": command, "machine": machine, "tables": [t.to_dict() for t in tables]}

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"parts": self.parts}, indent=1, ensure_ascii=False)
        (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
        parts = "\n".join(f"## {name}\n\n{self.markdown(name)}" for name in self.parts)
        (folder / "bench.md").write_text(f"# Measurements\n\n{parts}", encoding="utf-8")

    def markdown(self, part: str) -> str:
        """The command, the machine, the tables."""
        found = self.parts[part]
        tables = "\n".join(Table.of(table).markdown() for table in found["tables"])
        return f"`{found['command']}`\n\n{machine_line(found['machine'])}\n\n{tables}"


def machine_line(machine: dict[str, Any]) -> str:
    """`Xeon at 2.50 GHz, 2 cores (avx512f), 2 threads; torch 2.13.0, ...; 2026-11-21`"""
    instructions = ", ".join(machine["instructions"]) or "no vector instructions of note"
    versions = ", ".join(f"{name} {found}" for name, found in machine["versions"].items())
    said = [
        f"{machine['processor']}, {machine['cores']} cores ({instructions}), {machine['memory_gib']} GiB",
        f"{machine['threads']} threads; allocator: {machine['allocator']}",
        f"Python {machine['python']}, {versions}",
        str(machine["when"]),
    ]
    load = machine.get("load")
    if load is not None:
        said.append(f"load when it began {load:.1f}")
    return "; ".join(said) + "."


def refresh(path: Path, report: Report) -> list[str]:
    """Write the tables of a report between the marks of a Markdown file; gives the parts that were written."""
    written: list[str] = []

    def fill(found: re.Match[str]) -> str:
        if found[2] not in report.parts:
            return found[0]
        written.append(found[2])
        return f"{found[1]}{report.markdown(found[2])}{found[3]}"

    text = path.read_text(encoding="utf-8")
    path.write_text(MARK.sub(fill, text), encoding="utf-8")
    return written
