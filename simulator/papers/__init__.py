"""Figures of published papers, made again: what is run, what is measured, what was published.

A paper is a folder under ``scenarios/papers`` with its scenarios and its published numbers,
``expected.toml``; and a package of the same name here with one small module for each figure.
"""
