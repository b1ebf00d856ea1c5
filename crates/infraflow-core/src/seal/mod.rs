//! Encrypt and open logs, sign and verify their manifests.
