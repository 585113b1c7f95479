"""Every blueprint of the server: pages for people first, then addresses for programs."""

from __future__ import annotations

from flask import Blueprint

from app import (
    api,
    api_encoders,
    api_forecasts,
    api_recipes,
    api_sheets,
    api_styles,
    compat,
    docs,
    explore,
    health,
    metrics,
    pages,
    results,
    shelf,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    *(pages.pages, explore.explore, shelf.shelf, results.results, docs.docs),
    *(api.api, api_sheets.api_sheets, api_forecasts.api_forecasts, api_recipes.api_recipes),
    *(api_styles.api_styles, api_encoders.api_encoders, compat.compat, health.health, metrics.metrics),
)
