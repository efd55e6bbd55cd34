"""What a code may stand for: the one page is ``paper/codes.py``, because labels and shelves read codes as well."""

from mdm.desk.paper.codes import LONGEST, PATH, Read, address, iccid, imei, luhn, presence, read, spellings

__all__ = ["LONGEST", "PATH", "Read", "address", "iccid", "imei", "luhn", "presence", "read", "spellings"]
