"""PP-OCRv6 text detection and recognition and the line orientation classifier, from the rapidocr package."""
import shutil

from .common import package_dir, write_manifest

MODELS = ["ppocrv6-det-small", "ppocrv6-rec-small", "ppocr-cls-mobile-v2"]

_SOURCE = "rapidocr 3.10.0 (PyPI)"
_LICENCE = "Apache-2.0"


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data):
    """(field number, payload) of each length-delimited field of a protobuf message; the others are skipped."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire_type = key & 7
        if wire_type == 2:
            size, at = _varint(data, at)
            yield key >> 3, data[at:at + size]
            at += size
        elif wire_type == 0:
            _, at = _varint(data, at)
        elif wire_type in (1, 5):
            at += 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"protobuf wire type {wire_type} is not used by ONNX")


def onnx_metadata(path):
    """metadata_props of an ONNX file (field 14 of ModelProto), which OpenVINO's front end does not pass on."""
    metadata = {}
    for number, payload in _fields(memoryview(path.read_bytes())):
        if number == 14:
            entry = {n: bytes(p).decode() for n, p in _fields(payload)}
            metadata[entry[1]] = entry.get(2, "")
    return metadata


def _install(out_dir, id, name):
    folder = out_dir / id
    folder.mkdir(exist_ok=True)
    shutil.copyfile(package_dir("rapidocr") / "models" / name, folder / "model.onnx")
    return folder


def _prepare_detection(out_dir):
    folder = _install(out_dir, "ppocrv6-det-small", "PP-OCRv6_det_small.onnx")
    write_manifest(
        folder, id=folder.name, task="text_detection", version="6", licence=_LICENCE, source=_SOURCE,
        files=["model.onnx"],
        parameters={"threshold": 0.3, "box_threshold": 0.5, "unclip_ratio": 1.6, "max_candidates": 1000,
                    "mean": 0.5, "std": 0.5})


def _prepare_recognition(out_dir):
    folder = _install(out_dir, "ppocrv6-rec-small", "PP-OCRv6_rec_small.onnx")
    characters = onnx_metadata(folder / "model.onnx")["character"].splitlines()
    (folder / "characters.txt").write_text("".join(c + "\n" for c in characters), encoding="utf-8", newline="\n")
    write_manifest(
        folder, id=folder.name, task="text_recognition", version="6", licence=_LICENCE, source=_SOURCE,
        files=["model.onnx", "characters.txt"], parameters={"height": 48, "mean": 0.5, "std": 0.5})


def _prepare_orientation(out_dir):
    folder = _install(out_dir, "ppocr-cls-mobile-v2", "ch_ppocr_mobile_v2.0_cls_mobile.onnx")
    write_manifest(
        folder, id=folder.name, task="text_orientation", version="2", licence=_LICENCE, source=_SOURCE,
        files=["model.onnx"],
        parameters={"width": 192, "height": 48, "threshold": 0.9, "mean": 0.5, "std": 0.5})


def prepare(out_dir):
    _prepare_detection(out_dir)
    _prepare_recognition(out_dir)
    _prepare_orientation(out_dir)
