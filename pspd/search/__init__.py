"""Arrays of descriptors in, candidates out; knows neither paths nor the store."""
