//! Risk, who must approve, signatures and other evidence, expiry, single use.
