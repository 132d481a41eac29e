"""The web server of production: how a request's bytes reach the app, and where each is turned away."""
