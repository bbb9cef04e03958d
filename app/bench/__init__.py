"""What this machine and this database can do, measured on a throw-away installation.

`zhenxue bench` prints it for operators; `benchmarks/` measures the same things at length.
"""
