"""Learners' behaviour, simulated: the facts a platform would send, never a verdict.

Nothing here knows the detectors. `scenarios` holds the named cases, `honest` composes random
honest learners, `county` a demo county of both; `bundle` writes them as an import file and `live`
plays them against a running service.
"""
