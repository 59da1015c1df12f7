"""Lights of the inspection cell, a module each; a part uses those it needs."""
