//! Kustomize facts and the kubectl driver.
