"""The interface as documents: AsyncAPI and pages, made from the models and tables that make what is published."""
