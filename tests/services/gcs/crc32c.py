"""CRC-32C (Castagnoli), as Cloud Storage gives it. ISA-L does the work where it is installed; whole objects take minutes without."""

import base64
import ctypes
import ctypes.util

POLYNOMIAL = 0x82F63B78


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _table()


def _slow(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc


def _load():
    name = ctypes.util.find_library("isal")
    if not name:
        return _slow
    function = ctypes.CDLL(name).crc32_iscsi
    function.restype, function.argtypes = ctypes.c_uint32, (ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32)
    return lambda data: function(data, len(data), 0xFFFFFFFF)


_crc = _load()


def crc32c(data):
    """Of bytes, as base64 of the four bytes, the highest first."""
    return base64.b64encode((_crc(bytes(data)) ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()
