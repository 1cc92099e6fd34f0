"""Log of sysmon's own work: a line each, to standard error or a file, holding up nobody."""

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sysmon.app.agent.journal import is_journal, record_prefix
from sysmon.config import LogFormat, Logging
from sysmon.console.line_writer import AsyncLineWriter
from sysmon.errors import ConfigError
from sysmon.text.instants import format_instant, from_ms
from sysmon.text.names import printable

LOGGER = "sysmon"


class LineHandler(logging.Handler):
    """Turns log records into lines of a line writer."""

    def __init__(
        self, line_writer: AsyncLineWriter, form: LogFormat, descriptor: int, *, journal: bool = False
    ) -> None:
        super().__init__()
        self.line_writer = line_writer
        self.descriptor = descriptor
        self._form = form
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one line; the instant is UTC, and the journal has its own."""
        at = format_instant(from_ms(int(record.created * 1000)))
        message = printable(record.getMessage())
        if self._form is LogFormat.JSON:
            fields = {"timestamp": at, "level": record.levelname.lower(), "message": message}
            self.line_writer.show(json.dumps(fields, ensure_ascii=False))
        elif self._journal:
            self.line_writer.show(f"{record_prefix(record.levelno)}{message}")
        else:
            self.line_writer.show(f"{at} {record.levelname.lower()}: {message}")


def start_logging(settings: Logging, environ: Mapping[str, str]) -> AsyncLineWriter:
    """Send the log where the configuration says; return the line writer, to be closed at the end."""
    descriptor = _descriptor(settings.file)
    line_writer = AsyncLineWriter(descriptor, encoding=_encoding(settings.file), name="log")
    logger = logging.getLogger(LOGGER)
    journal = is_journal(descriptor, environ)
    logger.handlers = [LineHandler(line_writer, settings.format, descriptor, journal=journal)]
    logger.propagate = False
    logger.setLevel(settings.level.upper())
    return line_writer


@contextmanager
def redirect_log(line_writer: AsyncLineWriter, *, descriptor: int) -> Iterator[None]:
    """Let a line writer show the log while the context lasts, where both go to one terminal: two would tear lines."""
    handlers = [handler for handler in logging.getLogger(LOGGER).handlers if isinstance(handler, LineHandler)]
    shared = [(handler, handler.line_writer) for handler in handlers if _same_terminal(handler.descriptor, descriptor)]
    for handler, _ in shared:
        handler.line_writer = line_writer
    try:
        yield
    finally:
        for handler, own in shared:
            handler.line_writer = own


def _same_terminal(first: int, second: int) -> bool:
    try:
        return os.isatty(first) and os.isatty(second) and os.fstat(first).st_rdev == os.fstat(second).st_rdev
    except OSError:
        return False


def _descriptor(file: Path | None) -> int:
    if file is None:
        return 2
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    except OSError as error:
        problem = f"{printable(str(file))}: the log cannot be written ({error.strerror})"
        raise ConfigError(f"{problem}: name another file in SYSMON_LOG_FILE") from error


def _encoding(file: Path | None) -> str:
    return (getattr(sys.stderr, "encoding", None) or "utf-8") if file is None else "utf-8"
