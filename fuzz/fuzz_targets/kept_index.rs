//! The target `kept_index`: see the module of this name.
#![cfg_attr(feature = "libfuzzer", no_main)]

infraflow_fuzz::program!(kept_index);
