//! Applies the official documentation's manifests and compares with what a real cluster said and stored.
