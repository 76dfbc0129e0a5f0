"""Documents the interface: an AsyncAPI document and two pages, generated from the models of the payloads."""
