"""The demonstration models that the repository carries (assets/models): copied beside the others."""
import pathlib
import shutil

ASSETS = pathlib.Path(__file__).resolve().parents[2] / "assets" / "models"
MODELS = sorted(folder.parent.name for folder in ASSETS.glob("*/manifest.json"))


def prepare(out_dir):
    for name in MODELS:
        target = out_dir / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ASSETS / name, target, ignore=lambda _, names: [n for n in names if n == "manifest.json"])
        shutil.copyfile(ASSETS / name / "manifest.json", target / "manifest.json")  # last: a manifest means complete
