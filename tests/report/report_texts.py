from __future__ import annotations

HOSTILE = "<script>alert(1)</script>"
