"""PostgreSQL through libpq by ctypes, so that the benchmark itself needs nothing from PyPI.

Blocking, one connection an object, text format throughout. Only what the benchmark uses.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterable

_OK_COMMAND, _OK_TUPLES, _COPY_IN = 1, 2, 4
_FATAL = 7

Row = tuple[str | None, ...]


class DatabaseError(Exception):
    """What the server or libpq said, without the statement's values."""

    def __init__(self, message: str, connection_lost: bool = False) -> None:
        super().__init__(message.strip())
        self.connection_lost = connection_lost


def _load() -> ctypes.CDLL:
    name = ctypes.util.find_library("pq") or "libpq.so.5"
    library = ctypes.CDLL(name)
    handle, text = ctypes.c_void_p, ctypes.c_char_p
    strings = ctypes.POINTER(ctypes.c_char_p)
    signatures: dict[str, tuple[object, list[object]]] = {
        "PQconnectdb": (handle, [text]),
        "PQstatus": (ctypes.c_int, [handle]),
        "PQerrorMessage": (text, [handle]),
        "PQfinish": (None, [handle]),
        "PQexec": (handle, [handle, text]),
        "PQexecParams": (handle, [handle, text, ctypes.c_int, handle, strings, handle, handle, ctypes.c_int]),
        "PQprepare": (handle, [handle, text, text, ctypes.c_int, handle]),
        "PQexecPrepared": (handle, [handle, text, ctypes.c_int, strings, handle, handle, ctypes.c_int]),
        "PQresultStatus": (ctypes.c_int, [handle]),
        "PQresultErrorMessage": (text, [handle]),
        "PQntuples": (ctypes.c_int, [handle]),
        "PQnfields": (ctypes.c_int, [handle]),
        "PQgetisnull": (ctypes.c_int, [handle, ctypes.c_int, ctypes.c_int]),
        "PQgetvalue": (text, [handle, ctypes.c_int, ctypes.c_int]),
        "PQclear": (None, [handle]),
        "PQputCopyData": (ctypes.c_int, [handle, text, ctypes.c_int]),
        "PQputCopyEnd": (ctypes.c_int, [handle, text]),
        "PQgetResult": (handle, [handle]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_pq = _load()


class Connection:
    """One connection to a libpq URL; usable as a context manager; not shared between threads."""

    def __init__(self, url: str) -> None:
        self._connection = _pq.PQconnectdb(url.encode())
        self._prepared: dict[str, bytes] = {}
        if _pq.PQstatus(self._connection) != 0:
            message = self._message()
            self.close()
            raise DatabaseError(message, connection_lost=True)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; a second call does nothing."""
        if self._connection:
            _pq.PQfinish(self._connection)
            self._connection = None

    def query(self, sql: str, *parameters: object) -> list[Row]:
        """Runs one statement, unprepared, and returns its rows as text; None is NULL."""
        values = _values(parameters)
        return self._rows(
            _pq.PQexecParams(self._connection, sql.encode(), len(parameters), None, values, None, None, 0)
        )

    def run(self, sql: str, *parameters: object) -> list[Row]:
        """As `query`, prepared at its first use on this connection."""
        name = self._prepared.get(sql)
        if name is None:
            name = b"s%d" % len(self._prepared)
            self._rows(_pq.PQprepare(self._connection, name, sql.encode(), 0, None))
            self._prepared[sql] = name
        values = _values(parameters)
        return self._rows(_pq.PQexecPrepared(self._connection, name, len(parameters), values, None, None, 0))

    def value(self, sql: str, *parameters: object) -> str | None:
        """The first column of the first row."""
        return self.query(sql, *parameters)[0][0]

    def number(self, sql: str, *parameters: object) -> float:
        """The first column of the first row as a number; NULL is 0."""
        return float(self.value(sql, *parameters) or 0)

    def script(self, sql: str) -> None:
        """Runs several statements by the simple protocol."""
        self._rows(_pq.PQexec(self._connection, sql.encode()))

    def copy_in(self, sql: str, chunks: Iterable[bytes]) -> None:
        """Runs `COPY ... FROM STDIN` over chunks of text rows."""
        result = _pq.PQexec(self._connection, sql.encode())
        status = _pq.PQresultStatus(result)
        if status != _COPY_IN:
            self._rows(result)
            raise DatabaseError("expected a COPY FROM STDIN statement")
        _pq.PQclear(result)
        for chunk in chunks:
            if _pq.PQputCopyData(self._connection, chunk, len(chunk)) != 1:
                raise DatabaseError(self._message(), connection_lost=True)
        _pq.PQputCopyEnd(self._connection, None)
        while result := _pq.PQgetResult(self._connection):
            self._rows(result)

    def _message(self) -> str:
        return (_pq.PQerrorMessage(self._connection) or b"no connection").decode(errors="replace")

    def _rows(self, result: int | None) -> list[Row]:
        status = _pq.PQresultStatus(result) if result else _FATAL
        try:
            if status == _OK_COMMAND:
                return []
            if status != _OK_TUPLES:
                message = (_pq.PQresultErrorMessage(result) or b"").decode(errors="replace")
                lost = _pq.PQstatus(self._connection) != 0
                raise DatabaseError(message or self._message(), connection_lost=lost)
            columns = range(_pq.PQnfields(result))
            return [
                tuple(_field(result or 0, row, column) for column in columns) for row in range(_pq.PQntuples(result))
            ]
        finally:
            if result:
                _pq.PQclear(result)


def _values(parameters: tuple[object, ...]) -> object:
    texts = [None if p is None else (p if isinstance(p, bytes) else str(p).encode()) for p in parameters]
    return (ctypes.c_char_p * max(1, len(texts)))(*texts)


def _field(result: int, row: int, column: int) -> str | None:
    if _pq.PQgetisnull(result, row, column):
        return None
    return _pq.PQgetvalue(result, row, column).decode()
