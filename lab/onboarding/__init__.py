"""Onboarding: a customer's forms become a domain, its phones, its test week, its port, its first day."""
