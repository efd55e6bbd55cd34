"""Flask-SQLAlchemy as the keeper of engine and session; the models know nothing of it."""

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from mdm.storage.engine import driver_url, engine_options, furnish

db = SQLAlchemy(session_options={"expire_on_commit": False})


def connect(app: Flask, url: str) -> None:
    """Gives the application its engine on ``url`` and its session per request."""
    url = driver_url(url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    with app.app_context():
        furnish(db.engine)
