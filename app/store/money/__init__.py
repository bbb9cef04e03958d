"""Subsidies: standards, payments, recoveries."""
