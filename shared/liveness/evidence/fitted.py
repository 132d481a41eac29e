"""The weighing that was fitted over people: made by `ops/evaluate --fit`; docs/evidence.md explains it."""

from __future__ import annotations

from shared.liveness.evidence.finding import Code
from shared.liveness.evidence.presets import Preset
from shared.liveness.evidence.weighing import Curve, Group, Weighing

FITTED = Weighing(
    made={
        "date": "2026-11-30",
        "revision": "28f0f99",
        "people": "49",
        "sessions": "918",
        "attacks": "437",
        "mix": "0.50 of the fit's weight is bona fide",
        "unseen people": "AUC 0.8430, log loss 0.969 bits",
    },
    prior=-3.655,
    scales=(1.0, 0.8409, 0.7598, 0.7071, 0.6687, 0.6389, 0.6148, 0.5946, 0.5774, 0.5623),
    thresholds={
        Preset.LENIENT: 0.083,
        Preset.STANDARD: 0.198,
        Preset.STRICT: 0.353,
    },
    decisive={
        Code.UNSEEN: 0.0001,
        Code.REPEATED: 0.6,
        Code.SWAPPED: 0.6,
        Code.FROZEN: 0.8,
        Code.MOIRE: 250.0,
    },
    curves={
        Code.ABRUPT: {
            Group.HEAD: Curve(
                scores=(0.108, 0.19666, 0.2467, 0.3446, 0.3828, 0.50314, 0.5364, 0.6377, 1.2905),
                bits=(0.873, 0.873, 0.241, -0.181, -0.954, -2.105, -2.291, -3.0, -3.0),
            ),
        },
        Code.ADRIFT: {
            Group.EYES: Curve(
                scores=(0.0, 0.1158, 0.1898, 0.36373, 0.853),
                bits=(0.67, 0.286, -0.496, -0.496, -1.5),
            ),
            Group.HEAD: Curve(
                scores=(0.0, 0.1158, 0.1898, 0.36373, 0.853),
                bits=(1.399, 1.399, 1.294, 1.266, -0.684),
            ),
            Group.MOUTH: Curve(
                scores=(0.0, 0.1158, 0.1898, 0.36373, 0.853),
                bits=(0.67, 0.67, 0.565, 0.565, -0.438),
            ),
        },
        Code.CALM: {
            Group.EYES: Curve(
                scores=(0.0267, 0.12297, 0.2661, 0.4034, 0.68846, 1.0),
                bits=(2.569, 2.569, 2.569, 2.569, 2.569, 1.108),
            ),
            Group.HEAD: Curve(
                scores=(0.0267, 0.12297, 0.2661, 0.4034, 0.68846, 1.0),
                bits=(1.538, 1.416, 1.416, 1.345, 0.794, -0.404),
            ),
            Group.MOUTH: Curve(
                scores=(0.0267, 0.12297, 0.2661, 0.4034, 0.68846, 1.0),
                bits=(2.143, 2.143, 2.143, 0.612, 0.612, -0.395),
            ),
        },
        Code.CUT: {
            Group.EYES: Curve(
                scores=(0.0052, 0.0587, 0.1175, 0.193, 0.2763, 0.4636, 1.7414),
                bits=(0.0, -0.155, -0.564, -2.0, -2.0, -2.0, -2.0),
            ),
            Group.HEAD: Curve(
                scores=(0.0052, 0.0587, 0.1175, 0.193, 0.2763, 0.4636, 1.7414),
                bits=(0.0, 0.0, 0.0, -0.443, -0.443, -0.443, -0.443),
            ),
            Group.MOUTH: Curve(
                scores=(0.0052, 0.0587, 0.1175, 0.193, 0.2763, 0.4636, 1.7414),
                bits=(0.0, 0.0, 0.0, -1.11, -1.833, -1.833, -1.833),
            ),
        },
        Code.FLAT: {
            Group.EYES: Curve(
                scores=(-0.3646, -0.0392, -0.0021, 0.0165, 0.0359, 0.1046),
                bits=(0.409, 0.409, -1.114, -1.114, -1.114, -1.225),
            ),
            Group.HEAD: Curve(
                scores=(-0.3646, -0.0392, -0.0021, 0.0165, 0.0359, 0.1046),
                bits=(0.675, 0.675, -1.119, -1.119, -1.119, -1.229),
            ),
            Group.MOUTH: Curve(
                scores=(-0.3646, -0.0392, -0.0021, 0.0165, 0.0359, 0.1046),
                bits=(0.516, 0.516, -0.723, -0.723, -0.723, -0.833),
            ),
        },
        Code.FROZEN: {
            Group.EYES: Curve(
                scores=(0.0, 0.09391, 0.2941, 0.9545),
                bits=(0.563, 0.563, 0.563, 0.215),
            ),
            Group.HEAD: Curve(
                scores=(0.0, 0.09391, 0.2941, 0.9545),
                bits=(0.69, 0.69, 0.617, 0.268),
            ),
            Group.MOUTH: Curve(
                scores=(0.0, 0.09391, 0.2941, 0.9545),
                bits=(0.511, 0.511, 0.511, 0.163),
            ),
        },
        Code.CAMERA: {
            Group.HEAD: Curve(
                scores=(0.0, 0.5, 1.0),
                bits=(0.0, -0.3, -1.0),
            ),
            Group.EYES: Curve(
                scores=(0.0, 0.5, 1.0),
                bits=(0.0, -0.3, -1.0),
            ),
            Group.MOUTH: Curve(
                scores=(0.0, 0.5, 1.0),
                bits=(0.0, -0.3, -1.0),
            ),
        },
        Code.MIXED: {
            Group.HEAD: Curve(
                scores=(0.6, 0.85, 0.93),
                bits=(0.0, -1.0, -5.0),
            ),
            Group.EYES: Curve(
                scores=(0.6, 0.85, 0.93),
                bits=(0.0, -1.0, -5.0),
            ),
            Group.MOUTH: Curve(
                scores=(0.6, 0.85, 0.93),
                bits=(0.0, -1.0, -5.0),
            ),
        },
        Code.MOIRE: {
            Group.EYES: Curve(
                scores=(6.3234, 9.7346, 13.57836, 18.5463, 21.81086, 27.9257, 44.73235, 104.2293),
                bits=(0.0, 0.0, -0.699, -0.699, -0.699, -0.699, -0.699, -0.699),
            ),
            Group.MOUTH: Curve(
                scores=(6.3234, 9.7346, 13.57836, 18.5463, 21.81086, 27.9257, 44.73235, 104.2293),
                bits=(0.0, 0.0, 0.0, -0.309, -0.309, -0.309, -0.309, -0.309),
            ),
        },
        Code.ONE_PICTURE: {
            Group.EYES: Curve(
                scores=(0.0078, 0.04453, 0.13575, 0.1629, 0.25836, 0.40926, 0.48474, 0.75512, 1.0),
                bits=(2.577, 2.577, 2.577, 2.233, 1.346, 0.693, 0.608, 0.608, 0.532),
            ),
            Group.HEAD: Curve(
                scores=(0.0078, 0.04453, 0.13575, 0.1629, 0.25836, 0.40926, 0.48474, 0.75512, 1.0),
                bits=(1.887, 1.701, 1.388, 0.695, -0.765, -2.051, -2.417, -2.417, -2.493),
            ),
            Group.MOUTH: Curve(
                scores=(0.0078, 0.04453, 0.13575, 0.1629, 0.25836, 0.40926, 0.48474, 0.75512, 1.0),
                bits=(3.0, 3.0, 3.0, 2.656, 1.769, -0.234, -0.66, -0.818, -0.894),
            ),
        },
        Code.PLANAR: {
            Group.EYES: Curve(
                scores=(0.0604, 0.12708, 0.292, 0.4072, 0.46636, 0.51059, 0.59512, 0.6689, 0.8229),
                bits=(3.0, 3.0, 3.0, 3.0, 1.534, 0.456, -1.694, -3.3, -3.3),
            ),
            Group.HEAD: Curve(
                scores=(0.0604, 0.12708, 0.292, 0.4072, 0.46636, 0.51059, 0.59512, 0.6689, 0.8229),
                bits=(1.697, 0.921, 0.921, 0.921, -0.218, -1.325, -3.114, -4.312, -4.312),
            ),
            Group.MOUTH: Curve(
                scores=(0.0604, 0.12708, 0.292, 0.4072, 0.46636, 0.51059, 0.59512, 0.6689, 0.8229),
                bits=(2.773, 2.773, 2.773, 2.52, 1.691, 0.291, -2.298, -3.832, -3.832),
            ),
        },
        Code.REPEATED: {
            Group.EYES: Curve(
                scores=(0.0, 0.2989),
                bits=(0.0, -0.147),
            ),
            Group.HEAD: Curve(
                scores=(0.0, 0.2989),
                bits=(0.0, -0.104),
            ),
            Group.MOUTH: Curve(
                scores=(0.0, 0.2989),
                bits=(0.0, -0.104),
            ),
        },
        Code.SCREEN: {
            Group.EYES: Curve(
                scores=(0.0, 0.4322, 0.4916, 0.61845, 0.9198),
                bits=(1.448, 1.448, 1.448, 0.866, -0.332),
            ),
            Group.HEAD: Curve(
                scores=(0.0, 0.4322, 0.4916, 0.61845, 0.9198),
                bits=(1.584, 1.584, 1.584, -0.678, -3.0),
            ),
            Group.MOUTH: Curve(
                scores=(0.0, 0.4322, 0.4916, 0.61845, 0.9198),
                bits=(1.185, 1.185, 1.185, 0.604, -0.595),
            ),
        },
        Code.STARING: {
            Group.EYES: Curve(
                scores=(0.0298, 0.11705, 0.2654, 0.3168, 0.4334, 0.4559, 0.5375, 0.63834, 0.8582),
                bits=(1.004, 0.846, 0.308, 0.291, 0.291, 0.291, 0.291, -0.963, -1.304),
            ),
            Group.HEAD: Curve(
                scores=(0.0298, 0.11705, 0.2654, 0.3168, 0.4334, 0.4559, 0.5375, 0.63834, 0.8582),
                bits=(1.464, 1.092, 0.38, 0.357, 0.198, -0.398, -0.974, -1.809, -2.0),
            ),
            Group.MOUTH: Curve(
                scores=(0.0298, 0.11705, 0.2654, 0.3168, 0.4334, 0.4559, 0.5375, 0.63834, 0.8582),
                bits=(1.004, 0.846, 0.108, 0.108, 0.044, -0.305, -0.511, -1.337, -1.528),
            ),
        },
        Code.STIFF: {
            Group.EYES: Curve(
                scores=(0.0488, 0.10606, 0.1465, 0.1829, 0.27222, 0.2979, 0.40985, 0.6994, 1.0),
                bits=(1.198, 1.198, 0.812, 0.812, 0.812, 0.812, 0.812, 0.812, -0.174),
            ),
            Group.HEAD: Curve(
                scores=(0.0488, 0.10606, 0.1465, 0.1829, 0.27222, 0.2979, 0.40985, 0.6994, 1.0),
                bits=(0.906, 0.746, 0.544, 0.544, 0.544, 0.314, -0.363, -0.363, -0.927),
            ),
            Group.MOUTH: Curve(
                scores=(0.0488, 0.10606, 0.1465, 0.1829, 0.27222, 0.2979, 0.40985, 0.6994, 1.0),
                bits=(1.709, 1.709, 1.632, 1.043, 1.043, 1.043, 1.043, 0.676, 0.112),
            ),
        },
        Code.SWAPPED: {
            Group.HEAD: Curve(
                scores=(0.44, 0.52, 0.6),
                bits=(0.0, -3.0, -8.0),
            ),
            Group.EYES: Curve(
                scores=(0.44, 0.52, 0.6),
                bits=(0.0, -3.0, -8.0),
            ),
            Group.MOUTH: Curve(
                scores=(0.44, 0.52, 0.6),
                bits=(0.0, -3.0, -8.0),
            ),
        },
        Code.UNASKED: {
            Group.HEAD: Curve(
                scores=(0.0, 1.0, 2.0),
                bits=(0.0, -1.5, -4.0),
            ),
            Group.EYES: Curve(
                scores=(0.0, 1.0, 2.0),
                bits=(0.0, -1.5, -4.0),
            ),
            Group.MOUTH: Curve(
                scores=(0.0, 1.0, 2.0),
                bits=(0.0, -1.5, -4.0),
            ),
        },
        Code.UNIDENTIFIED: {
            Group.HEAD: Curve(
                scores=(0.0, 1.0),
                bits=(0.0, -2.0),
            ),
            Group.EYES: Curve(
                scores=(0.0, 1.0),
                bits=(0.0, -2.0),
            ),
            Group.MOUTH: Curve(
                scores=(0.0, 1.0),
                bits=(0.0, -2.0),
            ),
        },
    },
)
