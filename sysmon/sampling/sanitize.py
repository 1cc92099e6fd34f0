"""Label sanitizer: names and errors as they are stored, escaped, and masked where the configuration says so."""

from collections.abc import Iterable, Mapping

from sysmon.model import Row, Table
from sysmon.sampling.masking import Masking
from sysmon.text.names import escape


class LabelSanitizer:
    """Turns what collectors say into what rules, files and screens see, so that all of them see the same."""

    def __init__(self, masking: Masking | None = None) -> None:
        self._masking = masking

    def rows(self, table: Table, rows: Iterable[Row]) -> list[Row]:
        """Return rows with their labels as they are stored."""
        count = len(table.labels)
        if count == 0:
            return list(rows)
        if self._masking is None:
            return [(*(escape(str(label)) for label in row[:count]), *row[count:]) for row in rows]
        rows = list(rows)
        labels = [tuple(escape(str(label)) for label in row[:count]) for row in rows]
        masked = self._masking.labels(table.labels, labels)
        return [(*shown, *row[count:]) for shown, row in zip(masked, rows, strict=True)]

    def fields(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Return the fields of a notice; those that are called as a label is are masked as it is."""
        said = {name: escape(value) if isinstance(value, str) else value for name, value in fields.items()}
        if self._masking is None:
            return said
        texts = {name: value for name, value in said.items() if isinstance(value, str)}
        (masked,) = self._masking.labels(tuple(texts), [tuple(texts.values())])
        return said | dict(zip(texts, masked, strict=True))

    def error(self, error: Exception) -> str:
        """Return an error in words. Where names are masked, only words that hold none: a path or a name may be one."""
        if self._masking is None:
            return escape(f"{type(error).__name__}: {error}")
        if isinstance(error, OSError) and error.strerror:
            return escape(f"{type(error).__name__}: [Errno {error.errno}] {error.strerror}")
        return type(error).__name__
