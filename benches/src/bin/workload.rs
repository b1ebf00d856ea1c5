//! Writes the repository that the figures are taken on, to try things on by hand.
//!
//! `cargo run --release -p infraflow-benches --bin workload -- FOLDER [MODULES] [terraform|peers]`
//! (10,000 modules and `peers` by default: 70,000 files). `main` and `feature` are there, and `feature` is
//! checked out.
#![allow(clippy::print_stdout)]

use std::path::Path;

use infraflow_benches::{
    Failure,
    workload::{Checkout, Flavour, Workload},
};

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder? workload FOLDER [MODULES] [terraform|peers]")?;
    let modules = args.next().map_or(Ok(10_000), |text| text.parse())?;
    let flavour = match args.next().as_deref() {
        None | Some("peers") => Flavour::Peers,
        Some("terraform") => Flavour::Terraform,
        Some(other) => return Err(format!("{other} is neither terraform nor peers").into()),
    };
    let workload = Workload { modules, flavour };
    workload.write(Path::new(&folder), Checkout::Feature)?;
    println!("{workload}; {} differs between main and feature, which touches:", workload.changed_file());
    workload.answer().iter().for_each(|stack| println!("  {stack}"));
    Ok(())
}
