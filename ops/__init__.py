"""Programs for whoever runs or develops the service; none of them is part of it."""
