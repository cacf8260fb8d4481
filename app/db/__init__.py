"""The database: connections, one transaction as the rest of the application sees it, rows and typed queries. See README.md."""

from app.db.transactions import (
    ORDINARY,
    OWNER,
    BeforeWrite,
    ConnectionLost,
    Database,
    NotPrepared,
    Transaction,
    database,
    observers,
    reading,
    snapshot,
    transaction,
)

__all__ = [
    "ORDINARY",
    "OWNER",
    "BeforeWrite",
    "ConnectionLost",
    "Database",
    "NotPrepared",
    "Transaction",
    "database",
    "observers",
    "reading",
    "snapshot",
    "transaction",
]
