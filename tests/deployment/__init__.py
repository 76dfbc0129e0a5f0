"""What is shipped beside the package: the image, its locked packages, the compose file, the workflows."""
