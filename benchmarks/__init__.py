"""Speed, always as a ratio measured in one run. Nothing here is imported by the packages."""
