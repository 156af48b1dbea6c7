"""The audit log of the gateway: which file was asked for, by whom, and what the answer was.

    DATA/v1/audit/
      audit.jsonl                                the current file, one JSON object a line
      audit-2026-11-26T06-31-00Z-000007.jsonl    a file that was put aside then, the seventh
      audit-2026-11-26T06-31-00Z-000007.jsonl.gz the same, compressed; then the other is deleted
      lock                                       held to write one line, to put a file aside, to list the files
      tidying                                    held to compress and to delete files that were put aside

Guaranteed, for processes of one machine on a file system with `flock(2)`: a line is whole or, where its writer was
killed inside the one `write(2)`, cut short, and then told apart from the next; no line is lost or stands twice
because files are put aside, compressed or read meanwhile; what was not recorded was refused.

Not guaranteed: lines of the last seconds before a power failure, for nothing waits for the disk; anything against a
user who may write the directory.
"""

from recto.index.audit.entry import Entry, Verdict, fields
from recto.index.audit.log import Audit, AuditLog, NoAudit, Options
from recto.index.audit.reading import Foreign, Selection, entries

__all__ = ["Audit", "AuditLog", "Entry", "Foreign", "NoAudit", "Options", "Selection", "Verdict", "entries", "fields"]
