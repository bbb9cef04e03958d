"""Pixels to numbers: the only package that imports OpenCV, face_recognition, dlib, onnxruntime.

No database, no settings, no clock: paths, thresholds and times are arguments.

    image.verify         what the HTTP process may call: header only, no OpenCV
    reading.read         one picture -> FaceReading, in a worker, with backends.load()
    match.decide         enrolment against a session: match, review, mismatch
    liveness.verify      a burst against its challenge: live, spoof, inconclusive
    reuse                the same photograph twice
    calibrate            thresholds from the site's own distances; error rates of labelled sets
    attack_set, crowd    labelled attacks counted; one face under several accounts
    reasons              what reason ids mean, in Chinese and English; no OpenCV
    portrait.portrait    artificial faces for the demo and the tests
"""

import os

# ONNX Runtime reports to its maker what it runs, and gives the machine an identifier, unless this
# is set before it is loaded (its Privacy.md). Processes that are started from here inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
