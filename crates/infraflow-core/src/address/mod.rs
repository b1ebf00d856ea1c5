//! Source addresses, refs and version constraints, by the rules of Terraform's module and provider evaluators.
