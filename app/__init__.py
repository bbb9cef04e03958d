"""The service around the detectors: edges, domain, store, vision, reports and jobs."""
