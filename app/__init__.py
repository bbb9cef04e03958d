"""The service around the detectors: edges, domain, store, vision, reports and jobs."""

__version__ = "0.1.0"
