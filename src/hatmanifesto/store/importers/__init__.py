"""Importers: recognise foreign files, turn them into exact rows, set aside what is wrong."""
