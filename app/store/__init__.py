"""All SQL and all blobs, one module an aggregate, in the same rooms as the domain."""
