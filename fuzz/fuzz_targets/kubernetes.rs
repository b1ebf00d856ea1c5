//! The target `kubernetes`: see the module of this name.
#![cfg_attr(feature = "libfuzzer", no_main)]

infraflow_fuzz::program!(kubernetes);
