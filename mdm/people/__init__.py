"""Employees: unit, service point, persona, language, address."""
