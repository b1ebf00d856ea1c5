//! Takes secrets out of a log of terraform's kind, and compares that with copying the log.
//!
//! `cargo run --release -p infraflow-benches --bin redact -- [MIB] [SECRETS]` (64 MiB and 100 by default).
#![allow(clippy::print_stdout)]

use std::{error::Error, time::Instant};

use infraflow_core::redact::{Redactor, SecretRedactor, Secrets};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mib: usize = args.next().map_or(Ok(64), |text| text.parse())?;
    let count: usize = args.next().map_or(Ok(100), |text| text.parse())?;
    let secret = |number: usize| format!("{:x}-P\"w{number}", (number + 7) * 0x9e37_79b9);
    let mut log = Vec::with_capacity((mib << 20) + 256);
    let mut number = 0;
    while log.len() < mib << 20 {
        let value =
            if number % 50 == 0 { secret(number / 50 % count) } else { format!("{:x}", number * number) };
        let line = format!(
            "  \u{1b}[32m+\u{1b}[0m module.cluster[\"{number}\"].terraform_data.node: input = \"{value}\"\n"
        );
        log.extend_from_slice(line.as_bytes());
        number += 1;
    }
    for coloured in [true, false] {
        if !coloured {
            log.retain(|&byte| byte != 0x1b);
        }
        let begun = Instant::now();
        let mut secrets = Secrets::new();
        (0..count).for_each(|number| secrets.add(format!("secret{number}"), secret(number)));
        let redactor = SecretRedactor::new(&secrets)?;
        let prepared = begun.elapsed();
        let begun = Instant::now();
        let mut out = Vec::with_capacity(log.len());
        let mut redaction = redactor.start();
        log.chunks(8192).for_each(|chunk| redaction.push(chunk, &mut out));
        let report = redaction.finish(&mut out);
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{} log, {mib} MiB, {count} secrets: prepared in {prepared:.1?}, {:.0} MB/s, {} places",
            if coloured { "coloured" } else { "plain" },
            log.len() as f64 / 1e6 / seconds,
            report.places()
        );
    }
    Ok(())
}
