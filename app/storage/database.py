"""The database of all processes: SQLite in a file, or PostgreSQL. Its tables are migrated when it is opened."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from time import monotonic, sleep
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError

from app.failures import CannotStart
from app.storage.database_file import DatabaseFile

_MIGRATIONS = Path(__file__).with_name("migrations")
_TIMEOUT_SECONDS = 30  # for a connection or a lock
_RETRY_SECONDS = 0.01  # until the next try, where SQLite itself does not wait
_PROBE_SECONDS = 5  # for a connection or a lock, of a look at whether the database can be written
_MIGRATION_LOCK = 7_310_590_114  # any number that no other program locks in this database


class Database(NamedTuple):
    reading: Engine
    writing: Engine
    probing: Engine  # each of its connections is a new one, which no cache keeps from seeing the database as it is

    def disconnect(self) -> None:
        """Close all connections; the next use opens new ones."""
        for engine in self:
            engine.dispose()


def connect(url: str) -> Database:
    database = _create_engines(make_url(url))
    try:
        migrate(database)
    finally:
        database.disconnect()  # the process that serves may be forked from this one, and connections cannot be shared
    return database


def migrate(database: Database, revision: str = "head") -> None:
    """Migrate the tables; raise CannotStart where a newer release has migrated them further.

    Of several processes that start at once, the first migrates and the others wait for it.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with database.writing.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config.attributes["connection"] = connection
        _refuse_newer_tables(connection, ScriptDirectory.from_config(config))
        command.upgrade(config, revision)


def _refuse_newer_tables(connection: Connection, migrations: ScriptDirectory) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None or current in {migration.revision for migration in migrations.walk_revisions()}:
        return
    raise CannotStart(
        f"The database's tables are of version {current}, of a newer release than this one, which knows versions up to "
        f"{migrations.get_current_head()}. Install that release again, or restore a backup that was made before it."
    )


def check_writable(database: Database) -> None:
    """Write into the database; raise SQLAlchemyError where that is not possible."""
    with database.probing.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


def check_intact(database: Database) -> None:
    """Read the whole of a file of SQLite; raise DatabaseError where it is damaged."""
    with database.probing.begin() as connection:
        if connection.dialect.name == "sqlite":
            finding = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if finding != "ok":
                raise DatabaseError("PRAGMA quick_check", None, ValueError(finding))


def _create_engines(url: URL) -> Database:
    if url.get_backend_name() == "sqlite":
        return _create_sqlite_engines(url)
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, pool_pre_ping=True, pool_size=20, pool_timeout=_TIMEOUT_SECONDS)
    probing = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": _PROBE_SECONDS})
    return Database(engine, engine, probing)


def _create_sqlite_engines(url: URL) -> Database:
    """Create separate engines, as SQLite allows one writer at a time: threads queue for its single connection.

    A transaction that writes says so when it begins, so that it does not fail halfway because another came first.
    """
    patience: dict[str, Any] = {"pool_timeout": _TIMEOUT_SECONDS, "connect_args": {"timeout": _TIMEOUT_SECONDS}}
    reading = create_engine(url, **patience)
    writing = create_engine(url, pool_size=1, max_overflow=0, **patience)
    probing = create_engine(url, poolclass=NullPool, connect_args={"timeout": _PROBE_SECONDS})
    for engine, begin in ((reading, "BEGIN"), (writing, "BEGIN IMMEDIATE"), (probing, "BEGIN")):
        event.listen(engine, "connect", _configure_connection)
        event.listen(engine, "begin", lambda connection, begin=begin: connection.exec_driver_sql(begin))
    database = Database(reading, writing, probing)
    if url.database:
        _guard_file(database, Path(url.database))
    return database


def _guard_file(database: Database, path: Path) -> None:
    file = DatabaseFile(path)
    for engine in database:
        file.guard(engine)


def _configure_connection(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # this module sends BEGIN itself
    _enable_wal(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # deleted data does not stay in free pages


def _enable_wal(connection: Any) -> None:
    """Switch to WAL, in which readers do not wait for writers.

    While another connection writes, SQLite does not wait to switch a new file, whatever the timeout: without retries,
    processes that open it at the same time would fail now and then.
    """
    end = monotonic() + _TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if error.sqlite_errorcode & 0xFF != SQLITE_BUSY or monotonic() > end:
                raise
        sleep(_RETRY_SECONDS)
