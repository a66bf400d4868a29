"""The private server that everything is measured on: databases, statistics, stop and start."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .libpq import Connection, DatabaseError


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL that scripts/bench started: its folder holds `data` and the socket."""

    directory: Path
    binaries: Path

    @classmethod
    def from_environment(cls) -> Server:
        """Takes PRIVATE_POSTGRES_DIR and PRIVATE_POSTGRES_BIN, which scripts/bench sets."""
        return cls(Path(os.environ["PRIVATE_POSTGRES_DIR"]), Path(os.environ["PRIVATE_POSTGRES_BIN"]))

    def url(self, database: str) -> str:
        """A libpq URI over the unix socket; asyncpg and psycopg read it too."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def connect(self, database: str = "postgres") -> Connection:
        """A new connection as the superuser."""
        return Connection(self.url(database))

    def drop(self, database: str) -> None:
        """Drops the database and ends its sessions; does nothing if there is none."""
        with self.connect() as connection:
            connection.script("set client_min_messages = warning")
            connection.script(f'drop database if exists "{database}" with (force)')

    def create(self, database: str) -> None:
        """An empty database in place of whatever had the name."""
        self.drop(database)
        with self.connect() as connection:
            connection.script(f'create database "{database}"')

    def settle(self, database: str, analyze: bool = True) -> None:
        """Vacuums and checkpoints, so that a measurement does not pay for the load before it."""
        with self.connect(database) as connection:
            if analyze:
                connection.script("vacuum analyze")
            connection.script("checkpoint")

    def postmaster_pid(self) -> int:
        """The process whose children are all backends."""
        return int((self.directory / "data/postmaster.pid").read_text().split()[0])

    def setting(self, name: str) -> str:
        """A server setting as `show` prints it."""
        with self.connect() as connection:
            return connection.value(f"show {name}") or ""

    def stop(self, mode: str = "fast") -> None:
        """Stops the server: `fast` ends sessions, `immediate` is a crash."""
        self._pg_ctl("stop", "-m", mode, "-w")

    def start(self) -> None:
        """Starts it again with the options of its last start."""
        remembered = shlex.split((self.directory / "data/postmaster.opts").read_text())
        options = shlex.join(_without_data_directory(remembered[1:]))
        self._pg_ctl("start", "-w", "-l", str(self.directory / "data/log"), "-o", options)

    def count_statements(self, database: str) -> None:
        """Turns pg_stat_statements on for later sessions of the database; it costs a few percent."""
        with self.connect() as connection:
            connection.script(f"alter database \"{database}\" set pg_stat_statements.track = 'top'")

    def counts_statements(self) -> bool:
        """Whether pg_stat_statements is loaded here."""
        return "pg_stat_statements" in self.setting("shared_preload_libraries")

    def dead_rows(self, database: str) -> float:
        """Dead rows over all user tables, as the statistics estimate them."""
        with self.connect(database) as connection:
            return connection.number("select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables")

    def _pg_ctl(self, *arguments: str) -> None:
        command = [
            str(self.binaries / "pg_ctl"),
            "-D",
            str(self.directory / "data"),
            "-s",
            "-t",
            "120",
            *arguments,
        ]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DatabaseError(f"pg_ctl {arguments[0]} failed: {done.stderr or done.stdout}")


def _without_data_directory(options: list[str]) -> list[str]:
    """postmaster.opts names the data directory, which pg_ctl adds by itself."""
    kept: list[str] = []
    skip = False
    for option in options:
        if skip:
            skip = False
        elif option == "-D":
            skip = True
        else:
            kept.append(option)
    return kept
