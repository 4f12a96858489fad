"""Makes the fast stage's models from the installed packages: one folder with a manifest.json for each.

usage: python -m prepare_models OUT_DIR      (run by tools/setup.sh; a model that is already there is kept)
Each module of this package has MODELS, the ids it makes, and prepare(out_dir), which writes them.
"""
import importlib
import pathlib
import pkgutil
import sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out_dir = pathlib.Path(sys.argv[1])
    out_dir.mkdir(parents=True, exist_ok=True)
    package = pathlib.Path(__file__).parent
    for info in sorted(pkgutil.iter_modules([str(package)]), key=lambda m: m.name):
        if info.name in ("__main__", "common"):
            continue
        module = importlib.import_module(f"{package.name}.{info.name}")
        if all((out_dir / model / "manifest.json").exists() for model in module.MODELS):
            continue
        module.prepare(out_dir)
        print(f"prepared {', '.join(module.MODELS)}")


main()
