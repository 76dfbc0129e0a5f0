"""The network as all layers use it: names, each looked up without holding anything else up, and HTTP requests."""
