"""Tables of figures: what every measurement gives, as plain values and as Markdown."""

from dataclasses import dataclass, field
from typing import Any

Value = str | int | float | None


@dataclass
class Table:
    """rows have as many values as there are columns; None is what was not measured"""

    title: str
    columns: tuple[str, ...]
    rows: list[list[Value]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *values: Value) -> None:
        if len(values) != len(self.columns):
            raise ValueError(f"{self.title}: {len(values)} values for {len(self.columns)} columns")
        self.rows.append(list(values))

    def to_dict(self) -> dict[str, Any]:
        return {"title": self.title, "columns": list(self.columns), "rows": self.rows, "notes": self.notes}

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Table":
        return cls(values["title"], tuple(values["columns"]), values["rows"], values["notes"])

    def markdown(self) -> str:
        """A pipe table under its title, numbers on the right, notes below."""
        numeric = [self._is_numeric(i) for i in range(len(self.columns))]
        lines = [f"**{self.title}**", ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|" + "|".join("--:" if right else "---" for right in numeric) + "|")
        lines += ["| " + " | ".join(map(shown, row)) + " |" for row in self.rows]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines) + "\n"

    def _is_numeric(self, column: int) -> bool:
        return any(isinstance(row[column], int | float) for row in self.rows)


def shown(value: Value) -> str:
    """Three digits or so: more of them would be noise."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("|", "\\|")
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"
