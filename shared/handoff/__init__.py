"""The data that requests and workers hand each other in Redis: pictures, answers, faces, frames under way, signs of life."""
