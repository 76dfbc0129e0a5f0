"""Makes a DLL for Windows on x86-64 whose one function is that of another DLL."""

from __future__ import annotations

import struct

_ALIGNMENT = 0x200
_SECTION_AT = 0x1000
_AMD64 = 0x8664
_EXECUTABLE_LARGE_ADDRESS_DLL = 0x2022
_PE32_PLUS = 0x20B
_DIRECTORIES = 16
_READABLE_DATA = 0x40000040


def forwarding_dll(file: str, name: str, forwarded_to: str) -> bytes:
    """`forwarded_to` is LIBRARY.FUNCTION; the format: https://learn.microsoft.com/windows/win32/debug/pe-format."""
    exports = _exports(file, name, forwarded_to)
    header = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0"
    header += struct.pack("<HHIIIHH", _AMD64, 1, 0, 0, 0, 112 + 8 * _DIRECTORIES, _EXECUTABLE_LARGE_ADDRESS_DLL)
    header += struct.pack("<HBBIIIII", _PE32_PLUS, 1, 0, 0, _ALIGNMENT, 0, 0, 0)
    header += struct.pack("<QII", 0x180000000, _SECTION_AT, _ALIGNMENT)
    header += struct.pack("<HHHHHHI", 6, 0, 0, 0, 6, 0, 0)
    header += struct.pack("<IIIHH", 2 * _SECTION_AT, _ALIGNMENT, 0, 3, 0)
    header += struct.pack("<QQQQII", 1 << 20, 1 << 12, 1 << 20, 1 << 12, 0, _DIRECTORIES)
    header += struct.pack("<II", _SECTION_AT, len(exports)).ljust(8 * _DIRECTORIES, b"\0")
    section = (len(exports), _SECTION_AT, _ALIGNMENT, _ALIGNMENT, 0, 0, 0, 0, _READABLE_DATA)
    header += struct.pack("<8sIIIIIIHHI", b".edata", *section)
    return header.ljust(_ALIGNMENT, b"\0") + exports.ljust(_ALIGNMENT, b"\0")


def _exports(file: str, name: str, forwarded_to: str) -> bytes:
    """The directory of exports with its tables and texts; an address within it is the name of another function."""
    texts = [text.encode() + b"\0" for text in (file, name, forwarded_to)]
    tables_at = _SECTION_AT + 40
    texts_at = tables_at + 4 + 4 + 2
    file_at, name_at, forwarded_at = (texts_at + len(b"".join(texts[:number])) for number in range(3))
    directory = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, file_at, 1, 1, 1, tables_at, tables_at + 4, tables_at + 8)
    return directory + struct.pack("<IIH", forwarded_at, name_at, 0) + b"".join(texts)
