//! HCL facts, the driver of terraform and tofu, and plan JSON.
