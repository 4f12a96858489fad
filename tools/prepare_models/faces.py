"""dlib's face models from the package face_recognition_models: the three that its author put in the public domain.

The package's 68-point predictor stays out: the pictures it was trained on exclude commercial use.
"""
import shutil

from .common import package_dir, write_manifest

SOURCE = "face_recognition_models 0.3.0 (PyPI), from davisking/dlib-models"
LICENCE = "public domain (dlib-models README)"
MODELS = ["dlib-mmod-face", "dlib-5-landmarks", "dlib-face-resnet"]

_DETAILS = {
    "dlib-mmod-face": ("face_detection", "mmod_human_face_detector.dat", {"decoder": "dlib_mmod", "score_threshold": 0.0}),
    "dlib-5-landmarks": ("face_landmarks", "shape_predictor_5_face_landmarks.dat", {"decoder": "dlib_shape_predictor"}),
    "dlib-face-resnet": ("face_embedding", "dlib_face_recognition_resnet_model_v1.dat", {"decoder": "dlib_resnet"}),
}


def prepare(out_dir):
    models = package_dir("face_recognition_models") / "models"
    for id, (task, file, parameters) in _DETAILS.items():
        folder = out_dir / id
        folder.mkdir(exist_ok=True)
        shutil.copyfile(models / file, folder / file)
        write_manifest(folder, id=id, task=task, version="1", licence=LICENCE, source=SOURCE, files=[file],
                       parameters=parameters)
