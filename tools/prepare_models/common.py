"""Shared by the modules that prepare models: reading PyTorch files without PyTorch, writing manifests."""
import collections
import hashlib
import importlib.util
import json
import pathlib
import pickle
import zipfile

import numpy as np


def package_dir(name):
    """Folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the Python package {name} is not installed: run 'make setup'")
    return pathlib.Path(spec.submodule_search_locations[0])


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def write_manifest(folder, *, id, task, version, licence, source, files, parameters):
    """files: names inside `folder`. Written last and whole, so that a manifest means a complete model."""
    manifest = {
        "schema": "prismvid.model/1", "id": id, "task": task, "version": version, "licence": licence,
        "source": source, "files": [{"name": name, "sha256": sha256(folder / name)} for name in files],
        "parameters": parameters,
    }
    partial = folder / "manifest.json.part"
    partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    partial.rename(folder / "manifest.json")


class _StateDictUnpickler(pickle.Unpickler):
    """Unpickles a PyTorch state dict into numpy arrays and refuses every other class."""

    _dtypes = {"FloatStorage": np.float32, "LongStorage": np.int64, "HalfStorage": np.float16, "IntStorage": np.int32,
               "DoubleStorage": np.float64}

    def __init__(self, file, archive, prefix):
        super().__init__(file)
        self._archive, self._prefix = archive, prefix

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: np.lib.stride_tricks.as_strided(
                storage[offset:], size, [s * storage.itemsize for s in stride]).copy()
        if module == "torch" and name in self._dtypes:
            return self._dtypes[name]
        raise pickle.UnpicklingError(f"refused class {module}.{name}")

    def persistent_load(self, pid):
        _, dtype, key, _, _ = pid
        return np.frombuffer(self._archive.read(f"{self._prefix}/data/{key}"), dtype=dtype)


class _LegacyUnpickler(_StateDictUnpickler):
    """The format before PyTorch 1.6: the storages' bytes follow the pickle, so tensors start as views of empty ones."""

    def __init__(self, file):
        super().__init__(file, None, None)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: np.lib.stride_tricks.as_strided(
                storage[offset:], size, [s * storage.itemsize for s in stride])
        return super().find_class(module, name)

    def persistent_load(self, pid):
        _, dtype, key, _, size = pid[:5]
        return self.storages.setdefault(key, np.zeros(size, dtype))


def _load_legacy(file):
    for _ in range(3):  # magic number, protocol version, system
        _StateDictUnpickler(file, None, None).load()
    unpickler = _LegacyUnpickler(file)
    state = unpickler.load()
    for key in _StateDictUnpickler(file, None, None).load():
        storage = unpickler.storages[key]
        size = int.from_bytes(file.read(8), "little")
        if size != storage.size:
            raise pickle.UnpicklingError(f"storage {key} has {size} elements, expected {storage.size}")
        storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return state


def load_state_dict(path):
    """A state dict saved by torch.save as {name: numpy array}, without PyTorch."""
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as file:
            return _load_legacy(file)
    with zipfile.ZipFile(path) as archive:
        member = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
        with archive.open(member) as file:
            return _StateDictUnpickler(file, archive, member.split("/")[0]).load()
