"""What the service is measured beside: MediaPipe's own FaceMesh, and the server that people write around it.

`environment` makes these an environment of their own; the other modules run in that one, and import nothing of the project.
"""
