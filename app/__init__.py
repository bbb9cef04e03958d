"""The service around the detectors: edges, domain, store, vision, reports and jobs."""

__version__ = "0.2.0"
