"""Leak audit: can the test interactions be inferred from the training view?"""

from graphrec.evaluation.audit.checks import audit
from graphrec.evaluation.audit.duplicates import alias_groups
from graphrec.evaluation.audit.findings import KINDS, Audit, Check, require_clean

__all__ = ["KINDS", "Audit", "Check", "alias_groups", "audit", "require_clean"]
