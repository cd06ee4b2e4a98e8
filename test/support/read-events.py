"""Reads TensorBoard event files without TensorBoard: TFRecord frames, protobuf fields, crc32c bit by bit."""
import json, struct, sys

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            feed = ((byte >> bit) ^ crc) & 1
            crc >>= 1
            if feed:
                crc ^= 0x82F63B78
    return crc ^ 0xFFFFFFFF

def unmask(value):
    turned = (value - 0xA282EAD8) & 0xFFFFFFFF
    return ((turned >> 17) | (turned << 15)) & 0xFFFFFFFF

def fields(data):
    at = 0
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]; at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0: value = varint()
        elif kind == 1: value = struct.unpack("<d", data[at:at + 8])[0]; at += 8
        elif kind == 2: size = varint(); value = data[at:at + size]; at += size
        elif kind == 5: value = struct.unpack("<f", data[at:at + 4])[0]; at += 4
        else: raise ValueError(f"wire type {kind}")
        yield key >> 3, value

def event(data):
    found = dict(fields(data))
    out = {"wall": found[1], "step": found.get(2, 0)}
    if 3 in found: out["version"] = found[3].decode()
    if 5 in found:
        values = [dict(fields(value)) for number, value in fields(found[5]) if number == 1]
        out["scalars"] = {value[1].decode(): value[2] for value in values}
    if 7 in found: out["session"] = dict(fields(found[7]))[1]
    return out

def records(data):
    at = 0
    while at < len(data):
        size = struct.unpack("<Q", data[at:at + 8])[0]
        body = data[at + 12:at + 12 + size]
        for part, place in ((data[at:at + 8], at + 8), (body, at + 12 + size)):
            if unmask(struct.unpack("<I", data[place:place + 4])[0]) != crc32c(part):
                raise ValueError(f"checksum at {place}")
        yield event(body)
        at += size + 16

print(json.dumps(list(records(open(sys.argv[1], "rb").read()))))
